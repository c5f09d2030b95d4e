"use strict";
(() => {
  const missing = (cell) => cell.dataset.value === "";
  const key = (cell) => (cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value));
  const order = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));

  // What is undefined stays at the end whichever way the column is sorted.
  const compare = (a, b, sign) => {
    if (missing(a) || missing(b)) return Number(missing(a)) - Number(missing(b));
    return sign * order(key(a), key(b));
  };

  const sort = (header, headers, body) => {
    const first = header.classList.contains("number") ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    const direction = header.getAttribute("aria-sort") === first ? second : first;
    for (const other of headers) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const column = header.cellIndex;
    const rows = [...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column], sign));
    body.append(...rows);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const headers = [...table.tHead.rows[0].cells];
    for (const header of headers) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sort(header, headers, table.tBodies[0]));
      header.append(button);
    }
  }

  // Paper cannot be clicked on: everything is open while it is printed.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
