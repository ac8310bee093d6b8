"""Plain Python, cell by cell: what the regression corpus is compared with.

Arguments: a JSON file with a list of cells, and the descriptor for a line of JSON a cell.
"""

import ast
import json
import os
import sys


def _main():
    names = vars(sys.modules["__main__"])
    with open(sys.argv[1], encoding="utf-8") as file:
        cells = json.load(file)
    replies = os.fdopen(int(sys.argv[2]), "w", buffering=1)
    sys.argv[:] = [""]
    for cell in cells:
        text = error = None
        try:
            tree = ast.parse(cell)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, "<plain>", "exec"), names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), "<plain>", "eval"), names)
                text = None if value is None else repr(value)
        except BaseException as raised:
            error = type(raised).__name__
        sys.stdout.flush()
        replies.write(json.dumps({"text": text, "error": error, "printed": os.fstat(1).st_size}) + "\n")


_main()
