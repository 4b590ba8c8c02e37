// What is to be said about a photo that was made here: pipeline/checks.py, with its own texts and
// limits, which the service hands on. It checks more than this; what needs more than the crop and
// the matte is left to it.

const SLACK_PX = 0.5;
let table = null;

/** The checks of a finished photo, as an answer of the service has them. */
export async function checked({ file, placement, scale, certainty, rollDeg }, of, base) {
  table ??= await (await fetch(`${base}checks.json`)).json();
  const [width, height] = of.size_mm;
  return [
    judged("matte", 100 * certainty),
    judged("roll", rollDeg),
    judged("enlargement", scale),
    ...placed("head_height", placement.headHeight, of.head_height, height, of, of.head_derived),
    ...placed("eye_line", placement.eyeLine, of.eye_line_from_bottom, height, of),
    ...placed("top_margin", placement.topMargin, of.top_margin, height, of),
    ...placed("face_width", placement.faceWidth, of.face_width, width, of, true),
    ...(of.bytes_limit ? [judged("file_size", file.size, ...of.bytes_limit)] : []),
  ];
}

function judged(code, value, min = table[code].min, max = table[code].max) {
  const { least, most } = table[code];
  if (inside(value, min, max)) return check(code, value, min, max, "pass");
  const mild = (least ?? most) !== undefined && inside(value, least, most);
  return check(code, value, min, max, mild ? "warn" : "fail");
}

function placed(code, share, bounds, sideMm, of, mild = false) {
  if (!bounds || share === null || share === undefined) return [];
  const slack = SLACK_PX / of.size_px[code === "face_width" ? 0 : 1];
  const fits = inside(share, bounds.min - slack, bounds.max + slack);
  const worst = mild || of.derived ? "warn" : "fail";
  const [min, max] = [bounds.min * sideMm, bounds.max * sideMm];
  return [check(code, share * sideMm, min, max, fits ? "pass" : worst)];
}

function check(code, value, min, max, result) {
  const row = table[code];
  const said = value < min ? row.low : (row.high ?? row.low);
  const hint = result === "pass" ? null : said;
  const limits = { min: round(min ?? null), max: round(max ?? null) };
  return { code, title: row.title, value: round(value), unit: row.unit, ...limits, result, hint };
}

function round(value) {
  return value === null ? null : Math.round(value * 100) / 100;
}

function inside(value, low, high) {
  return (low ?? -Infinity) <= value && value <= (high ?? Infinity);
}
