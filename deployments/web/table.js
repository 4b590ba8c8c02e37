// A table of any length, of which only the rows in sight exist.

import { ask } from "./api.js";
import { button, download, h, icon } from "./dom.js";
import { counts } from "./findings.js";
import { showThumb } from "./thumbs.js";

const BEYOND = 6;
const ICONS = {
  done: "check",
  failed: "fail",
  waiting: "person",
  leased: "person",
  cancelled: "close",
};

/** The table: {element, show, draw}. `rows` is as Rows; it is drawn anew where that is told. */
export function buildTable() {
  const body = h("div", { class: "rows", role: "rowgroup" });
  const head = h(
    "div",
    { role: "rowgroup", class: "hidden" },
    h(
      "div",
      { role: "row", "aria-rowindex": "1" },
      h("span", { role: "columnheader", t: "table.picture" }),
      h("span", { role: "columnheader", t: "table.file" }),
      h("span", { role: "columnheader", t: "table.state" }),
      h("span", { role: "columnheader", t: "save.photo" }),
    ),
  );
  const table = h("div", { role: "table", label: "table" }, head, body);
  const element = h("div", { class: "scroll", tabindex: "0", role: "region", label: "job" }, table);
  let rows = null;
  let total = 0;
  let pending = false;
  let high = 0;
  const drawn = new Map();
  element.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(() => {
    high = 0; // Rows are higher on a narrow screen.
    draw();
  }).observe(element);

  function draw() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      if (rows) drawNow();
    });
  }

  function drawNow() {
    high ||= rowHeight();
    if (!high) return; // Not shown.
    body.style.height = `${total * high}px`;
    table.setAttribute("aria-rowcount", total + 1);
    const from = Math.max(0, Math.floor(element.scrollTop / high) - BEYOND);
    const to = Math.min(
      total - 1,
      Math.ceil((element.scrollTop + element.clientHeight) / high) + BEYOND,
    );
    if (to >= from) rows.need(from, to);
    for (const [index, row] of drawn) {
      if (index < from || index > to) {
        row.element.remove();
        drawn.delete(index);
      }
    }
    for (let index = from; index <= to; index++) {
      const item = rows.at(index);
      const key = item
        ? `${item.position} ${item.state} ${item.findings?.length} ${item.text?.en}`
        : "";
      const known = drawn.get(index);
      if (known?.key === key) continue;
      const made = filled(index, item);
      if (known) known.element.replaceWith(made);
      else body.append(made);
      drawn.set(index, { key, element: made });
      if (item?.state === "done") {
        showThumb(
          made.querySelector("img"),
          `v1/jobs/${rows.id}/items/${item.position}/result?picture=0`,
        );
      }
    }
  }

  function rowHeight() {
    const probe = h("div", { class: "table-row", role: "presentation" });
    body.append(probe);
    const { height } = probe.getBoundingClientRect();
    probe.remove();
    return height;
  }

  function filled(index, item) {
    const row = {
      class: `table-row ${item?.state ?? ""}`,
      role: "row",
      "aria-rowindex": index + 2,
    };
    const place = { ...row, style: { "--index": index } };
    if (!item)
      return h("div", place, h("span", { role: "cell" }), h("span", { role: "cell", text: "…" }));
    return h(
      "div",
      place,
      h("span", { role: "cell", class: "thumb" }, item.state === "done" && h("img", { alt: "" })),
      h("span", { role: "cell", class: "file" }, h("strong", { text: item.file }), ...about(item)),
      h(
        "span",
        { role: "cell", class: `state ${item.state}` },
        icon(ICONS[item.state]),
        h("span", { t: `item.${item.state}` }),
      ),
      h("span", { role: "cell" }, item.state === "done" && saver(item)),
    );
  }

  function saver(item) {
    const save = async () => {
      const answer = await ask(`v1/jobs/${rows.id}/items/${item.position}/result?picture=0`);
      const blob = await answer.blob();
      const stem = item.file.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
      download(blob, `${stem}.${blob.type.split("/")[1].replace("jpeg", "jpg")}`);
    };
    return button(
      { class: "plain round", label: "save.photo", title: "save.photo", on: { click: save } },
      "download",
    );
  }

  return {
    element,
    draw,
    /** Shows other rows, from the top. */
    show(other, count) {
      if (rows !== other) {
        rows = other;
        element.scrollTop = 0;
        for (const { element: row } of drawn.values()) row.remove();
        drawn.clear();
      }
      total = count;
      draw();
    },
  };
}

function about(item) {
  if (item.state === "failed" && item.text) {
    return [
      h(
        "span",
        { class: "reason" },
        h("span", { said: item.text }),
        " ",
        h("span", { said: item.hint }),
      ),
    ];
  }
  const checks = (item.findings ?? []).flatMap((finding) => finding.checks);
  if (!checks.length) return [];
  const { fail, warn } = counts(checks);
  const open = checks.filter((check) => check.result !== "pass");
  if (!open.length) return [h("span", { class: "dim", t: "findings.pass" })];
  const titles = open.flatMap((check, at) => [at ? " · " : "", h("span", { said: check.title })]);
  return [h("span", { class: fail ? "reason" : warn ? "doubt" : "dim" }, ...titles)];
}
