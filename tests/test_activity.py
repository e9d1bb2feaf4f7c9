"""What a process is doing: told to whoever listens, at most so often."""

from raygrid.activity import counted, doing, heard_by


def test_only_the_innermost_listener_hears():
    outer, inner = [], []
    doing("nobody hears this")
    with heard_by(outer.append):
        with heard_by(inner.append):
            doing("epoch 1/5")
        doing("epoch 2/5")
    assert (outer, inner) == (["epoch 2/5"], ["epoch 1/5"])


def test_items_are_counted_in_per_cent_where_their_number_is_known():
    heard = []
    with heard_by(heard.append):
        assert list(counted("abcd", 4, "features")) == list("abcd")
        assert list(counted("ab", None, "image")) == ["a", "b"]
    assert heard == ["features 0%", "features 25%", "features 50%", "features 75%", "image 0", "image 1"]


def test_not_everything_is_told_where_telling_costs():
    heard = []
    with heard_by(heard.append, every_s=1e9):
        doing("first")
        doing("too soon")
    with heard_by(heard.append, first_s=1e9):
        doing("too soon")
    assert heard == ["first"]
