import pytest

from vitrine_client._transport.sse import EventReader

STREAM = "data: {}\r\n\r\n: a remark\nevent: x\ndata:one\ndata: two\n\ndata: é\u2028…\n\ndata: cut"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_they_arrive(size):
    stream, reader = STREAM.encode(), EventReader()
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]

    assert [event for chunk in chunks for event in reader.feed(chunk)] == [
        "{}",
        "one\ntwo",
        "é\u2028…",
    ]


def test_an_event_is_given_as_soon_as_it_is_whole():
    reader = EventReader()

    assert list(reader.feed(b"data: now\n\ndata: la")) == ["now"]
    assert list(reader.feed(b"ter\n\n")) == ["later"]
