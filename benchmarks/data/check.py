"""Checks the benchmark data of this folder and prints what it holds; exits 1 if anything is wrong.

    python check.py [--train FILE …]

Needs jsonschema, numpy, pandas and matplotlib. Files given with `--train` are lists of tools that a
model was trained on (a JSON object with a `name` a line); none of them may appear here.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

HERE = Path(__file__).resolve().parent
CATEGORIES = {"math", "visualization-easy", "visualization-hard", "general"}
KINDS = {"bar", "line", "scatter", "pie", "hist", "box"}
FIGURE_FIELDS = {"kind", "axes", "series", "title", "x", "y", "labels", "data"}
errors = []


def expect(holds, where, what):
    if not holds:
        errors.append(f"{where}: {what}")
    return holds


def read(name):
    """The objects of a JSONL file, each a line."""
    records = []
    for number, line in enumerate((HERE / name).read_text(encoding="utf-8").splitlines(), start=1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            errors.append(f"{name}:{number}: {error}")
    return records


def unique(values, where):
    for value, count in Counter(values).items():
        expect(count == 1, where, f"{value!r} occurs {count} times")


def closed(schema):
    """The schema with every object that lists properties closed to others."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: closed(value) for key, value in schema.items()}
    if copy.get("type") == "object" and isinstance(copy.get("properties"), dict):
        copy.setdefault("additionalProperties", False)
    return copy


def check_tools(tools, trained):
    unique((tool["name"] for tool in tools), "tools.jsonl")
    for tool in tools:
        where = f"tools.jsonl: {tool['name']}"
        expect(set(tool) == {"name", "name_for_human", "description", "parameters"}, where, "wrong fields")
        expect(tool["name"].isascii(), where, "the name is not ASCII")
        expect(tool["name"] not in trained, where, "a training tool has this name")
        schema = tool["parameters"]
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            errors.append(f"{where}: {error.message}")
        expect(schema.get("type") == "object", where, "parameters are not an object")
        expect(set(schema["required"]) <= set(schema["properties"]), where, "a required parameter is unknown")
        expect(all("description" in part for part in schema["properties"].values()), where, "a parameter lacks its description")


def check_call(call, schema, where):
    validator = Draft202012Validator(closed(schema))
    arguments = call["arguments"]
    for error in validator.iter_errors(arguments):
        errors.append(f"{where}: {error.json_path}: {error.message}")
    for parameter, values in call.get("accepted", {}).items():
        expect(values, where, f"accepted {parameter} is empty")
        for value in values:
            expect(value != arguments.get(parameter), where, f"accepted {parameter} repeats {value!r}")
            variant = {**arguments, parameter: value}
            if value is None:
                del variant[parameter]
            for error in validator.iter_errors(variant):
                errors.append(f"{where}: accepted {parameter}: {error.message}")


def check_selection(samples, tools):
    schemas = {tool["name"]: tool["parameters"] for tool in tools}
    unique((sample["id"] for sample in samples), "tool-selection.jsonl")
    unique((sample["query"] for sample in samples), "tool-selection.jsonl")
    for sample in samples:
        where = sample["id"]
        names = sample["tools"]
        expect(sample["lang"] in ("en", "zh"), where, "unknown language")
        expect(1 <= len(names) <= 5 and len(set(names)) == len(names), where, "one to five different tools are allowed")
        if not expect(set(names) <= set(schemas), where, "a tool is unknown"):
            continue
        expect((sample.get("why") in ("no-need", "cannot")) == (not sample["calls"]), where, "`why` belongs to samples without a call")
        for call in sample["calls"]:
            if expect(call["name"] in names, where, f"{call['name']} is no candidate"):
                check_call(call, schemas[call["name"]], where)
    unused = set(schemas) - {name for sample in samples for name in sample["tools"]}
    expect(not unused, "tools.jsonl", f"no sample uses {sorted(unused)}")


def run(task):
    """Runs a task's solution in a folder with its files: what it prints, and its figures."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as aside:
        for name in task["files"]:
            (Path(folder) / name).write_bytes((HERE / "files" / name).read_bytes())
        solution, figures = Path(aside) / "solution.py", Path(aside) / "figures.json"
        solution.write_text(task["solution"], encoding="utf-8")
        command = [sys.executable, HERE / "figures.py", solution, figures]
        done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return done.stdout.strip(), json.loads(figures.read_text(encoding="utf-8"))


def near(found, wanted):
    return abs(found - wanted) <= 1e-4 * max(1, abs(wanted))


def check_answer(answer, printed, where):
    last = printed.splitlines()[-1] if printed else ""
    if "text" in answer:
        expect(last in answer["text"], where, f"the solution prints {last!r}")
        return
    try:
        right = abs(float(last) - answer["number"]) <= answer["tolerance"]
    except ValueError:
        right = False
    expect(right, where, f"the solution prints {last!r}, not {answer['number']}")


def check_figure(wanted, figures, where):
    if not expect(len(figures) == 1, where, f"the solution leaves {len(figures)} figures"):
        return
    found = figures[0]
    series = found["series"][wanted["kind"]]
    others = [kind for kind, some in found["series"].items() if some and kind != wanted["kind"]]
    expect(series and not others, where, f"the figure is no {wanted['kind']} alone")
    expect(found["axes"] == wanted.get("axes", found["axes"]), where, f"it has {found['axes']} axes")
    expect(len(series) == wanted.get("series", len(series)), where, f"it has {len(series)} series")
    for field, texts in (("title", found["titles"]), ("x", found["x"]), ("y", found["y"])):
        part = wanted.get(field, "")
        expect(not part or any(part in text for text in texts), where, f"{field} {part!r} is missing")
    for label in wanted.get("labels", []):
        expect(label in found["texts"] + found["titles"], where, f"label {label!r} is missing")
    for number, (values, right) in enumerate(zip(series, wanted.get("data", []))):
        equal = len(values) == len(right) and all(map(near, values, right))
        expect(equal, where, f"series {number} is {values}, not {right}")


def check_task(task):
    where = task["id"]
    fields = {"id", "lang", "category", "query", "files", "answer", "figure", "solution"}
    expect(set(task) == fields, where, "wrong fields")
    expect(task["lang"] in ("en", "zh") and task["category"] in CATEGORIES, where, "unknown language or category")
    plot = task["category"].startswith("visualization")
    expect((task["figure"] is not None) == plot and (task["answer"] is None) == plot, where, "plots have a figure, others an answer")
    if plot:
        expect(set(task["figure"]) <= FIGURE_FIELDS and task["figure"]["kind"] in KINDS, where, "wrong figure fields")
    if not expect(all((HERE / "files" / name).is_file() for name in task["files"]), where, "a file is missing"):
        return
    try:
        printed, figures = run(task)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        errors.append(f"{where}: the solution fails: {error}")
        return
    if plot:
        check_figure(task["figure"], figures, where)
    else:
        check_answer(task["answer"], printed, where)
        expect(not figures, where, "the solution leaves a figure")


def check_files(tasks):
    present = {path.name for path in (HERE / "files").iterdir()}
    unused = present - {name for task in tasks for name in task["files"]}
    expect(not unused, "files", f"no task uses {sorted(unused)}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, HERE / "make_files.py", folder], check=True)
        made = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    expect(set(made) == present, "files", f"make_files.py differs in {sorted(set(made) ^ present)}")
    for name, content in made.items():
        path = HERE / "files" / name
        expect(path.is_file() and path.read_bytes() == content, "files", f"{name} is not what make_files.py writes")


def summarise(tools, samples, tasks):
    tables = [name for name in sorted({name for task in tasks for name in task["files"]}) if name.endswith(".csv")]
    counts = {
        "tools": len(tools),
        "samples": len(samples),
        "samples by language": Counter(sample["lang"] for sample in samples),
        "samples by number of calls": Counter(len(sample["calls"]) for sample in samples),
        "samples without a call": Counter(sample["why"] for sample in samples if not sample["calls"]),
        "samples by number of candidates": Counter(len(sample["tools"]) for sample in samples),
        "tasks": Counter((task["category"], task["lang"]) for task in tasks),
        "CSV files": len(tables),
    }
    for what, count in counts.items():
        if isinstance(count, Counter):
            count = ", ".join(f"{' '.join(map(str, key)) if isinstance(key, tuple) else key} {n}" for key, n in sorted(count.items()))
        print(f"{what}: {count}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--train", nargs="*", type=Path, default=[])
    lines = [line for path in arguments.parse_args().train for line in path.read_text(encoding="utf-8").splitlines()]
    trained = {json.loads(line)["name"] for line in lines}
    tools, samples, tasks = read("tools.jsonl"), read("tool-selection.jsonl"), read("code-interpreter.jsonl")
    check_tools(tools, trained)
    check_selection(samples, tools)
    unique((task["id"] for task in tasks), "code-interpreter.jsonl")
    check_files(tasks)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(check_task, tasks))
    summarise(tools, samples, tasks)
    for error in errors:
        print(error, file=sys.stderr)
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
