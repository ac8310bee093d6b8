"""Writes what the checker of bfcl-eval says of made-up predictions, a line each.

    pip download bfcl-eval==2026.3.23 --no-deps && python -m zipfile -e bfcl_eval-*.whl PACKAGE
    python make.py PACKAGE > cases.jsonl
    python make.py PACKAGE --published > published.jsonl

Without `--published`, functions and answers are ours; with it, they are those of the package's own data, which
stay out of the repository. Predictions are right answers with faults put into them, by a fixed seed.
"""

import copy
import json
import random
import sys
import types
from pathlib import Path

package = Path(sys.argv[1])
sys.path.insert(0, str(package))
# The real module loads the client of every model.
configuration = types.ModuleType("bfcl_eval.constants.model_config")
plain, dotted = types.SimpleNamespace(underscore_to_dot=False), types.SimpleNamespace(underscore_to_dot=True)
configuration.MODEL_CONFIG_MAPPING = {"plain": plain, "dotted": dotted}
sys.modules["bfcl_eval.constants.model_config"] = configuration

from bfcl_eval.constants.enums import Language  # noqa: E402
from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker  # noqa: E402

draw = random.Random(20260323)

FUNCTION = {
    "name": "trips.plan",
    "description": "Plans a trip.",
    "parameters": {
        "type": "dict",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "budget": {"type": "float"},
            "guided": {"type": "boolean"},
            "stops": {"type": "array", "items": {"type": "string"}},
            "weights": {"type": "array", "items": {"type": "float"}},
            "grid": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            "range": {"type": "tuple", "items": {"type": "integer"}},
            "hotel": {"type": "dict", "properties": {"stars": {"type": "integer"}, "view": {"type": "string"}}},
            "guests": {"type": "array", "items": {"type": "dict", "properties": {"name": {"type": "string"}}}},
            "note": {"type": "any"},
        },
        "required": ["city", "days"],
    },
}
OTHER = {
    "name": "cancel_trip",
    "description": "Cancels a trip.",
    "parameters": {"type": "dict", "properties": {"id": {"type": "integer"}, "why": {"type": "string"}}, "required": ["id"]},
}
ACCEPTED = {
    "city": [["New York, NY", "new york"], ["Köln"], ["it's"]],
    "days": [[3], [2, 3], ["days_left"]],
    "budget": [[100.0, ""], [2.5], [7, ""]],
    "guided": [[True, ""], [False, True, ""], ["is_guided", ""]],
    "stops": [[["Rome", "Pisa"], ""], [["a-b"], ["ab", "c"], ""], ["all_stops", ""]],
    "weights": [[[1.0, 2.5], ""], [[1, 2], ""]],
    "grid": [[[[1, 2], [3]], ""]],
    "range": [[[1, 5], ""]],
    "hotel": [[{"stars": [4, 5], "view": ["sea side", ""]}, ""], [{"stars": [3]}, {"view": ["yard"]}, ""], ["", {"stars": [1]}]],
    "guests": [[[{"name": ["Ann"]}, {"name": ["Bo", "Bob"]}], ""], [[], [{"name": ["Z", ""]}], ""]],
    "note": [["anything", ""], [5, ""]],
}


def ours():
    for number in range(150):
        answer = {name: draw.choice(options) for name, options in ACCEPTED.items() if name in ("city", "days") or draw.random() < 0.5}
        answers = [{"trips.plan": answer}]
        category = draw.choice(["simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_parallel"])
        if "parallel" in category:
            answers.append(draw.choice([{"trips.plan": dict(answer, days=[draw.randint(4, 9)])}, {"cancel_trip": {"id": [number], "why": ["ill", ""]}}]))
        functions = [FUNCTION, OTHER] if category != "simple_python" else [FUNCTION]
        yield category, functions, answers


def published():
    for category in ("simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple", "live_parallel", "live_parallel_multiple"):
        data = package / "bfcl_eval" / "data"
        name = f"BFCL_v4_{category}.json"
        questions = [json.loads(line) for line in (data / name).open(encoding="utf-8")]
        answers = {row["id"]: row["ground_truth"] for row in map(json.loads, (data / "possible_answer" / name).open(encoding="utf-8"))}
        for row in questions:
            yield category, row["function"], answers[row["id"]]


def plain_value(value):
    """A value out of what is accepted for an object's fields."""
    if isinstance(value, dict):
        return {key: draw.choice(options) for key, options in value.items() if "" not in options or draw.random() < 0.7}
    if isinstance(value, list):
        return [plain_value(item) for item in value]
    return value


def right(answer):
    (name, parameters), = answer.items()
    given = {}
    for parameter, options in parameters.items():
        chosen = draw.choice(options) if options else ""
        if chosen != "" or "" not in options:
            given[parameter] = plain_value(chosen)
    return {name: given}


STRANGE = [None, True, False, 0, 1, 3, 2.5, -1.0, "", "x", "New York NY", "NEW-YORK, ny", [], ["x"], [1, 2], [1.0], {}, {"stars": 4}, [{"name": "Ann"}], "days_left"]


def spoil(calls):
    calls = copy.deepcopy(calls)
    for _ in range(draw.choice([0, 1, 1, 2])):
        kind = draw.randrange(9)
        if kind == 0:
            calls = calls[:-1] if draw.random() < 0.5 else calls + [copy.deepcopy(calls[0])] if calls else calls
            continue
        if not calls:
            continue
        call = draw.choice(calls)
        (name, given), = call.items()
        if kind == 1:
            call.clear()
            call[draw.choice(["other", name.replace(".", "_"), name.upper()])] = given
        elif kind == 2 and given:
            del given[draw.choice(sorted(given))]
        elif kind == 3:
            given[draw.choice(["extra", "note", "id"])] = draw.choice(STRANGE)
        elif kind == 4:
            draw.shuffle(calls)
        elif given:
            parameter = draw.choice(sorted(given))
            value = given[parameter]
            near = [value.swapcase() if isinstance(value, str) else value]
            near += [float(value), value + 1] if isinstance(value, (int, float)) else []
            near += [value[::-1], value + value[:1]] if isinstance(value, list) else []
            near += [dict(value, more=1), dict(list(value.items())[1:])] if isinstance(value, dict) else []
            given[parameter] = draw.choice(near + STRANGE if draw.random() < 0.5 else near)
    return calls


def main():
    source = published if "--published" in sys.argv else ours
    # The rows of ours say how many of these they have.
    print(json.dumps([FUNCTION, OTHER]))
    for category, functions, answers in source():
        for _ in range(4):
            calls = spoil([right(answer) for answer in answers])
            dots = draw.random() < 0.8
            try:
                result = ast_checker(copy.deepcopy(functions), copy.deepcopy(calls), copy.deepcopy(answers), Language.PYTHON, category, "plain" if dots else "dotted")
                error = None if result["valid"] else result["error_type"]
            except Exception:
                error = "checker_failed"
            shown = functions if source is published else len(functions)
            row = {"category": category, "functions": shown, "answers": answers, "calls": calls, "underscored": not dots, "error": error}
            print(json.dumps(row, ensure_ascii=False))


main()
