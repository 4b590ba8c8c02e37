// A job's report as a table for spreadsheets: every file, what came of it, and what to do.

import { askJson } from "./api.js";
import { download } from "./dom.js";
import { pick, t } from "./i18n.js";

const MOST = 500;
const FORMULA = /^[=+\-@\t\r]/;

/** Downloads the report of the job. */
export async function report(id, signal) {
  const rows = [["table.file", "table.state", "table.reason", "table.hint"].map((key) => t(key))];
  for (let after = -1; after !== null;) {
    const query = new URLSearchParams({ after, limit: MOST });
    const page = await askJson(`v1/jobs/${id}/items?${query}`, { signal });
    rows.push(...page.items.map(row));
    after = page.next_after;
  }
  const text = rows.map((cells) => cells.map(cell).join(",")).join("\r\n");
  // With a mark of its encoding, which spreadsheets need.
  download(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv;charset=utf-8" }), "report.csv");
}

function row(item) {
  const open = item.findings
    .flatMap(({ checks }) => checks)
    .filter(({ result }) => result !== "pass");
  const reason = item.text ? pick(item.text) : open.map(({ title }) => pick(title)).join("; ");
  const hint = item.hint
    ? pick(item.hint)
    : open.map((each) => each.hint && pick(each.hint)).join(" ");
  return [item.file, t(`item.${item.state}`), reason, hint];
}

function cell(value) {
  // A spreadsheet must not take a file's name for a formula.
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""')}"`;
}
