"""Chinese text in plots.

Matplotlib's own fonts have no Chinese characters, and code written for Windows or macOS asks for fonts that are
not here. Where one font with Chinese characters is installed, every look-up ends with it, whatever fonts a style
or a theme asks for, and the well-known Chinese names lead to it. The cell's own settings stay as they are.
"""

import dataclasses
import functools
import sys

_NAMES = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans SC",
    "Noto Sans CJK JP",
    "Alibaba PuHuiTi",
    "Alibaba PuHuiTi 3.0",
    "AlibabaPuHuiTi-3-55-Regular",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Heiti SC",
    "STHeiti",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Songti SC",
    "SimSun",
    "Droid Sans Fallback",
    "AR PL UMing CN",
    "AR PL UKai CN",
)
"""From the best to the last resort."""

_ALIASES = (
    *_NAMES,
    "Heiti TC",
    "STXihei",
    "STSong",
    "STKaiti",
    "STFangsong",
    "KaiTi",
    "FangSong",
    "NSimSun",
    "Arial Unicode MS",
)
_CJK_BEGINS = 0x2E80

_found = None


def found():
    """The name of the font for Chinese text, or None."""
    return _found


def adopt(font_manager):
    """Prepares matplotlib's font manager, as soon as it is imported."""
    global _found
    manager = font_manager.fontManager
    entries = {}
    for entry in manager.ttflist:
        entries.setdefault(entry.name, []).append(entry)
    _found = next((name for name in _NAMES if name in entries), None)
    if _found is None:
        return
    regular = entries[_found][0]
    any_weight = [dataclasses.replace(regular, weight=weight) for weight in (400, 700)]
    for name in (_found, *(alias for alias in _ALIASES if alias not in entries)):
        of_name = entries[_found] + any_weight if name != _found else any_weight
        manager.ttflist.extend(dataclasses.replace(entry, name=name) for entry in of_name)
    _let_look_ups_end_with(font_manager, (_found, "DejaVu Sans"))


def adopt_settings(matplotlib):
    """Minus signs as hyphens: many Chinese fonts lack the character. In the defaults, which styles build on."""
    for settings in (matplotlib.rcParams, matplotlib.rcParamsDefault, matplotlib.rcParamsOrig):
        settings["axes.unicode_minus"] = False


def _let_look_ups_end_with(font_manager, families):
    """Extends the list in which each missing character is looked for. Matplotlib has it since 3.6."""
    manager_class = font_manager.FontManager
    find = getattr(manager_class, "_find_fonts_by_props", None)
    if find is None:
        return

    @functools.lru_cache(maxsize=None)
    def path_of(family, weight):
        return font_manager.findfont(font_manager.FontProperties(family=family, weight=weight))

    @functools.wraps(find)
    def find_with_fallback(self, prop, fontext="ttf", *arguments, **options):
        paths = list(find(self, prop, fontext, *arguments, **options))
        if fontext == "ttf":
            weight = font_manager.FontProperties._from_any(prop).get_weight()
            paths += [path for path in (path_of(family, weight) for family in families) if path not in paths]
        return paths

    manager_class._find_fonts_by_props = find_with_fallback


def adopt_mathtext(mathtext):
    """Formulas have look-ups of their own: `r"温度 $T$"` is one formula as a whole."""
    find_glyph = mathtext.UnicodeFonts._get_glyph

    @functools.wraps(find_glyph)
    def find_glyph_or_chinese(self, fontname, font_class, sym):
        if _found is not None and len(sym) == 1 and ord(sym) >= _CJK_BEGINS:
            font_manager = sys.modules["matplotlib.font_manager"]
            font = font_manager.get_font(font_manager.findfont(_found))
            if font.get_char_index(ord(sym)):
                return font, ord(sym), False
        return find_glyph(self, fontname, font_class, sym)

    mathtext.UnicodeFonts._get_glyph = find_glyph_or_chinese
