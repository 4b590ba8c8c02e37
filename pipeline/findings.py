"""What is to be said about a finished photo: bounds of the rule that could not hold, and why."""

from pipeline.values import Background, Bounds, CropPlan, Document, Finding

ENLARGED_TOO_MUCH = 1.5
# Share of the frame in which the person goes on beyond the photo's edge.
_CUT = 0.001
# A pixel more or less is no breach: authorities round, and so do pixels.
_SLACK_PX = 1.0


def of_crop(plan: CropPlan, document: Document, enlarge: float, cut: float) -> tuple[Finding, ...]:
    """The findings that all backgrounds share.

    ``enlarge`` is output pixels per pixel of the original; ``cut`` the share of the frame in which
    the person goes on beyond the photo's edge.
    """
    found = []
    if enlarge > ENLARGED_TOO_MUCH:
        found.append(
            Finding(
                "enlarged",
                f"The photo had to be enlarged {enlarge:.1f} times; it will look soft.",
                f"照片被放大了 {enlarge:.1f} 倍，画面会显得模糊。",
            )
        )
    if cut > _CUT:
        found.append(
            Finding(
                "body_cut",
                "The photo ends inside the frame: a part of the person is missing at its edge.",
                "原照片范围不足：人物在画面边缘被截断。",
            )
        )
    placed = plan.placement
    if placed is not None:
        for code, name, name_zh, value, bounds in (
            ("head_height", "head height", "头部高度", placed.head_height, document.head_height),
            ("eye_line", "height of the eyes", "眼睛高度", placed.eye_line, document.eye_line),
            (
                "top_margin",
                "margin above the head",
                "头顶边距",
                placed.top_margin,
                document.top_margin,
            ),
        ):
            if bounds is not None and _breaks(value, bounds, document):
                found.append(_out_of_bounds(code, name, name_zh, value, bounds, document))
    return tuple(found)


def of_background(background: Background, document: Document) -> tuple[Finding, ...]:
    """Whether the document forbids the background."""
    if background.name not in document.forbidden_backgrounds:
        return ()
    return (
        Finding(
            "background_forbidden",
            f"{document.name_en} does not allow the background {background.name}.",
            f"{document.name_zh}不允许使用 {background.name} 背景。",
        ),
    )


def _breaks(value: float, bounds: Bounds, document: Document) -> bool:
    slack = _SLACK_PX / document.size_px[1]
    return not bounds.min - slack <= value <= bounds.max + slack


def _out_of_bounds(
    code: str, name: str, name_zh: str, value: float, bounds: Bounds, document: Document
) -> Finding:
    mm, low, high = (share * document.size_mm[1] for share in (value, bounds.min, bounds.max))
    return Finding(
        f"{code}_out_of_bounds",
        f"The {name} is {mm:.1f} mm; the rule asks for {low:.1f} to {high:.1f} mm. "
        "The photo or the hair leaves no room for it.",
        f"{name_zh}为 {mm:.1f} 毫米；规定为 {low:.1f} 至 {high:.1f} 毫米。"
        "照片范围或发型无法满足要求。",
    )
