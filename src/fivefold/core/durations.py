"""Time spans in words."""


def roughly(seconds: float) -> str:
    """Word how long something may take: "40 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def exactly(seconds: float) -> str:
    """Word how long something took: "40 s", "3 min 5 s", "2 h 30 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"
