"""The head of a cluster that dies is noticed, and ends a run with one line."""

import socket
import time

import pytest
from conftest import HANGS_S

from raygrid.engine.ray import head
from raygrid.errors import UsageError


@pytest.fixture
def listener(monkeypatch):
    monkeypatch.setattr(head, "DEAD_AFTER_S", 0.2)
    monkeypatch.setattr(head, "_CALL_EVERY_S", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def address(listener):
    return "{}:{}".format(*listener.getsockname())


def test_a_head_that_dies_ends_the_block_with_one_line(listener):
    where = address(listener)
    line = rf"^{where}: got no answer from the head of the Ray cluster for 0.2 s; finished cells are kept: .* to go on$"
    with pytest.raises(UsageError, match=line), head.head_called(where):
        listener.close()
        time.sleep(HANGS_S)


def test_whatever_a_dead_head_makes_of_the_block_is_that_one_line(listener):
    with pytest.raises(UsageError, match="got no answer from the head"), head.head_called(address(listener)) as called:
        called.is_dead = True
        raise ValueError("Ray's own words")


def test_a_head_that_answers_is_left_alone(listener):
    with pytest.raises(ValueError, match="another"), head.head_called(address(listener)) as called:
        for _ in range(20):
            listener.accept()[0].close()
        assert not called.is_dead
        raise ValueError("another")
