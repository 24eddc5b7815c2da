#!/usr/bin/python3
"""test-stats.py: the statistics of the benchmark, with numbers whose answers are known. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
import stats  # noqa: E402


def test_median_of_an_odd_number_is_the_one_between():
    assert stats.median([5, 1, 3]) == 3


def test_median_of_an_even_number_is_halfway():
    assert stats.median([4, 1, 3, 2]) == 2.5


def test_one_value_is_all_of_its_quantiles():
    assert [stats.quantile([7], q) for q in (0, 0.25, 0.5, 1)] == [7, 7, 7, 7]


def test_quartiles_lie_between_values():
    assert stats.middle([1, 2, 3, 4]) == {"median": 2.5, "q1": 1.75, "q3": 3.25}


def test_quantiles_at_the_ends_are_the_least_and_the_most():
    assert stats.quantile([9, 2, 5], 0) == 2
    assert stats.quantile([9, 2, 5], 1) == 9


def test_ratios_are_paired_by_round():
    # The second round was twice as slow for both: the ratio does not see it.
    assert stats.paired([90, 45, 95], [100, 50, 100]) == {"median": 0.9, "q1": 0.9, "q3": 0.925}


def test_rounds_that_do_not_match_are_refused():
    try:
        stats.paired([1, 2], [1])
    except ValueError:
        return
    raise AssertionError("no ValueError")


def test_no_values_are_refused():
    try:
        stats.median([])
    except ValueError:
        return
    raise AssertionError("no ValueError")


def test_everyone_is_in_every_round_once():
    for number in range(8):
        assert sorted(stats.order(["a", "b", "c"], number)) == ["a", "b", "c"]


def test_everyone_comes_first_and_last():
    orders = [stats.order(["a", "b", "c"], number) for number in range(6)]
    assert {o[0] for o in orders} == {o[-1] for o in orders} == {"a", "b", "c"}


tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
print(f"1..{len(tests)}")
failed = 0
for number, (name, test) in enumerate(tests, 1):
    try:
        test()
        print(f"ok {number} - {name}")
    except Exception as error:  # pylint: disable=broad-except
        failed += 1
        print(f"# {error!r}")
        print(f"not ok {number} - {name}")
sys.exit(failed > 0)
