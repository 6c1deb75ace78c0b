from benchmarks.data import standard_set
from benchmarks.gpu.resident import batch_rates


def test_both_roads_are_timed_where_there_is_room_and_none_where_not(tmp_path):
    pictures = standard_set(tmp_path, 50, (48, 64)).images
    rates = batch_rates(pictures, size=32, batch=16, epochs=1, room=lambda: 1 << 40)
    assert set(rates) == {"gathered there", "sent"}
    assert min(rates.values()) > 0
    assert batch_rates(pictures, size=32, batch=16, epochs=1, room=lambda: 0) == {}
