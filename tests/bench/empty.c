/* empty: does nothing. Linked to libsystemd as well (empty-systemd), it shows what loading that takes. */
int main(void)
{
	return 0;
}
