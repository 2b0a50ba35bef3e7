"use strict";
// Every table can be sorted by each column. A second click sorts the other way.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.setAttribute("aria-sort", "none");
    const numeric = header.classList.contains("number");
    const compare = (a, b) => {
      const [x, y] = [a.cells[column], b.cells[column]];
      if (!numeric) return x.textContent.localeCompare(y.textContent, "en", { numeric: true });
      return Number(x.dataset.value) - Number(y.dataset.value);
    };
    button.addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") === "ascending";
      for (const each of headers) each.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows];
      // Cells without a number always stay at the end.
      const empty = (row) => numeric && !("value" in row.cells[column].dataset);
      const sorted = rows.filter((row) => !empty(row)).sort((a, b) => (down ? compare(b, a) : compare(a, b)));
      body.append(...sorted, ...rows.filter(empty));
    });
  });
}
// Everything that is folded on the screen is printed.
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details:not([open])")) {
    each.dataset.folded = "";
    each.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const each of document.querySelectorAll("details[data-folded]")) {
    delete each.dataset.folded;
    each.open = false;
  }
});
