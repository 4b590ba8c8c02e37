"""What is done to a cut-out person and to the finished picture besides: light and colour, text over
it, metadata; joins steps for ``variants``.
"""

from dataclasses import replace

from pipeline import adjust, checks, provenance
from pipeline.affine import apply
from pipeline.appearance import contrast, exposure, light_balance, tone, upright
from pipeline.finish_values import AS_IT_IS, UNADJUSTED, Adjusted, AiLabel, Finish, Retouching
from pipeline.values import Check, CropPlan, Face, Portrait, Rgb, Rgba
from pipeline.watermark import stamp

_LABEL_OPACITY = 0.9


def adjusted(
    person_rgb: Rgb,
    plan: CropPlan,
    portrait: Portrait,
    face: Face,
    said: tuple[Check, ...],
    retouching: Retouching,
    finish: Finish,
) -> tuple[Rgb, Adjusted, tuple[Check, ...]]:
    """The person's pixels in a crop with what the face in the portrait needs, what that was, and
    the checks of the portrait, of which those of the light then are about the new pixels.
    """
    if finish.adjustments == AS_IT_IS:
        return person_rgb, UNADJUSTED, said
    x, y = portrait.region_xy_px
    lit = tone(upright(portrait.region_rgb, face.moved(-x, -y)))
    what = adjust.plan(finish.adjustments, lit, retouching)
    if what.none:
        return person_rgb, what, said
    face = _through(plan, face)
    made = adjust.apply(person_rgb, face, what, lit)
    seen = upright(made, face)
    values = {
        "exposure": exposure(seen),
        "contrast": contrast(seen),
        "light_balance": light_balance(seen),
    }
    anew = {code: checks.judge(code, value)[0] for code, value in values.items()}
    return made, what, tuple(anew.get(check.code, check) for check in said)


def marked(pixels: Rgb | Rgba, finish: Finish) -> Rgb | Rgba:
    """The picture with what is to be seen of watermark and label; the very same where that is
    nothing. Raises BadOrder (``no_font``).
    """
    watermark, label = finish.watermark, finish.label
    if watermark:
        style, opacity = watermark.style, watermark.opacity
        pixels = stamp(pixels, watermark.text, style=style, opacity=opacity)
    if label and label.text:
        # To the left, where no watermark is.
        pixels = stamp(pixels, label.text, style="corner", at="left", opacity=_LABEL_OPACITY)
    return pixels


def xmp(pixels: Rgb | Rgba, label: AiLabel | None) -> bytes | None:
    """The metadata of a picture; None where it is to have none."""
    return provenance.packet(label, pixels) if label else None


def _through(plan: CropPlan, face: Face) -> Face:
    """The face with eyes and mouth in pixels of the crop."""
    found = apply(
        plan.matrix,
        [
            *(face.left_eye_xy_px, face.right_eye_xy_px),
            *(face.left_mouth_xy_px, face.right_mouth_xy_px),
        ],
    )
    left_eye, right_eye, left_mouth, right_mouth = ((float(x), float(y)) for x, y in found)
    return replace(
        face,
        left_eye_xy_px=left_eye,
        right_eye_xy_px=right_eye,
        left_mouth_xy_px=left_mouth,
        right_mouth_xy_px=right_mouth,
    )
