"""What could not be read is counted, and few of it are named."""

from fivefold.data.unread import Unread


def test_missing_and_broken_images_are_told_apart():
    unread = Unread()
    for k in range(5):
        unread.add(f"{k}.png", "missing")
    unread.add("a.png", "empty")
    unread.add("b.png", "truncated")
    assert (len(unread), unread.missing) == (7, 5)
    assert list(unread.told(2000)) == [
        "5 of 2,000 images are missing, such as '0.png', '1.png', '2.png', …",
        "2 of 2,000 images cannot be read, namely 'a.png', 'b.png': 1 empty, 1 cut off",
    ]


def test_where_all_was_read_there_is_nothing_to_tell():
    assert (len(Unread()), list(Unread().told(3))) == (0, [])
