"""table.py: prints results: the median of the runs, ± half the distance from the smallest to the largest."""

import statistics
import subprocess
import sys
from pathlib import Path


class Column:
    def __init__(self, title, key, form=",.0f"):
        self.title, self.key, self.form = title, key, form


class Report:
    """Prints titles and tables, as text in columns or as Markdown."""

    def __init__(self, markdown):
        self.markdown = markdown

    def head(self, *lines):
        for line in lines:
            print(line + "\n" if self.markdown else line)

    def title(self, text, *notes):
        print(f"\n{'### ' if self.markdown else ''}{text}\n")
        for note in notes:
            print(note + "\n")

    def note(self, text):
        print(f"\n{text}\n" if self.markdown else text, flush=True)

    def table(self, what, columns):
        return (MarkdownTable if self.markdown else TextTable)(what, columns)


class Table:
    def __init__(self, what, columns):
        self.what, self.columns = what, columns

    def row(self, name, runs):
        """Prints one row, and returns the runs and their summary. A figure is missing in all runs or in none."""
        summary, texts = {}, []
        for column in self.columns:
            values = [run[column.key] for run in runs if column.key in run]
            if not values:
                texts.append("")
                continue
            median, spread = statistics.median(values), (max(values) - min(values)) / 2
            summary[column.key] = {"median": median, "min": min(values), "max": max(values)}
            texts.append(format(median, column.form) + (f" ± {format(spread, column.form)}" if len(values) > 1 else ""))
        self.print_row(str(name), texts)
        return {"summary": summary, "runs": runs}


class TextTable(Table):
    FIRST, WIDTH = 24, 17

    def __init__(self, what, columns):
        super().__init__(what, columns)
        self.print_row(what, [column.title for column in columns])

    def print_row(self, name, texts):
        print(f"{name:<{self.FIRST}}" + "".join(f"{text:>{self.WIDTH}}" for text in texts), flush=True)


class MarkdownTable(Table):
    def __init__(self, what, columns):
        super().__init__(what, columns)
        self.print_row(what, [column.title for column in columns])
        print("| --- |" + " ---: |" * len(columns))

    def print_row(self, name, texts):
        print("| " + " | ".join([name, *texts]) + " |", flush=True)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def output(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}"
    return done.stdout
