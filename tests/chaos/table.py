"""table.py: what came of each fault, counted: survived, rebooted as designed, lost. Printed within 80 columns."""
import threading

OUTCOMES = ("survived", "rebooted", "lost")


class Table:
    """Rows keep the order in which they were named first. Threads may add at the same time."""

    def __init__(self, say):
        self.rows, self.lost, self.lock = {}, [], threading.Lock()
        self._say = say

    def say(self, text):
        with self.lock:
            self._say(text)

    def expect(self, *names):
        """Rows that are shown even when nothing was tried: then the run was not whole."""
        for name in names:
            self.rows.setdefault(name, dict.fromkeys(OUTCOMES, 0))

    def add(self, name, outcome, detail=""):
        with self.lock:
            self.expect(name)
            self.rows[name][outcome] += 1
            if outcome == "lost":
                self.lost.append(f"{name}: {detail}")
            word = {"survived": "survived", "rebooted": "rebooted as designed", "lost": "LOST"}[outcome]
            self._say(f"{name}: {word}{': ' if detail else ''}{detail}")

    def well(self, name):
        row = self.rows.get(name, {})
        return bool(row) and not row["lost"] and row["survived"] + row["rebooted"] > 0

    def why(self, name):
        return "\n".join(text for text in self.lost if text.startswith(f"{name}:")) or "was not tried"

    def total(self):
        return {outcome: sum(row[outcome] for row in self.rows.values()) for outcome in OUTCOMES}

    def text(self):
        lines = [f"{'fault':42} {'times':>6} {'survived':>9} {'rebooted':>9} {'lost':>6}"]
        for name, row in [*self.rows.items(), ("all", self.total())]:
            lines.append(f"{name:42} {sum(row.values()):6} {row['survived']:9} {row['rebooted']:9} {row['lost']:6}")
        return "\n".join(lines)
