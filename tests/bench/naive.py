#!/usr/bin/python3
"""naive.py PORT: a server as the original exercise has it, in Python 3. One client at a time until it leaves, one
answer to each chunk, and all that a client ever said printed again each time."""
import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(5)
while True:
    client, _ = listener.accept()
    said = ""
    try:
        while chunk := client.recv(4096):
            said += chunk.decode(errors="replace")
            print(said)
            client.send(b"I am SERVER<br>")
    except ConnectionError:
        pass  # the exercise would end here; a benchmark goes on
    client.close()
    print("client disconnected")
