// Tables: sorted by a click on a heading; of long ones the first rows are shown; wide ones fade out
// where they go on.
(() => {
  "use strict";

  const valueOf = (row, column, numeric) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent.trim();
    const value = parseFloat(cell.dataset.v ?? cell.textContent.replace(/,/g, ""));
    return Number.isNaN(value) ? null : value;
  };

  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null); // unknown ones stay last
    if (typeof a === "number") return sign * (a - b);
    return sign * a.localeCompare(b, undefined, { numeric: true });
  };

  const limit = (table) => {
    const most = Number(table.dataset.most);
    if (!most || table.classList.contains("whole")) return;
    [...table.tBodies[0].rows].forEach((row, i) => row.classList.toggle("beyond", i >= most));
  };

  const sort = (table, heading) => {
    const numeric = heading.dataset.sort === "number";
    const before = heading.getAttribute("aria-sort");
    const first = numeric ? "descending" : "ascending";
    const second = numeric ? "ascending" : "descending";
    const order = before === first ? second : first;
    const column = heading.cellIndex;
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [valueOf(row, column, numeric), row]);
    rows.sort((a, b) => compare(a[0], b[0], sign));
    body.append(...rows.map((pair) => pair[1]));
    for (const other of heading.parentNode.cells) {
      if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    }
    heading.setAttribute("aria-sort", order);
    limit(table);
  };

  const addButtons = (table) => {
    for (const heading of table.tHead.rows[0].cells) {
      if (!heading.textContent.trim() || heading.dataset.sort === "no") continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      if (!heading.hasAttribute("aria-sort")) heading.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(table, heading));
    }
  };

  const addMore = (table) => {
    const count = table.tBodies[0].rows.length;
    if (count <= Number(table.dataset.most || Infinity)) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "more";
    const tell = () => {
      const whole = table.classList.contains("whole");
      button.textContent = whole ? `Show the first ${table.dataset.most}` : `Show all ${count}`;
      button.setAttribute("aria-expanded", String(whole));
    };
    button.addEventListener("click", () => {
      const whole = table.classList.toggle("whole");
      for (const row of table.tBodies[0].rows) if (whole) row.classList.remove("beyond");
      limit(table);
      tell();
    });
    table.closest(".scroll").after(button);
    limit(table);
    tell();
  };

  const watchEdge = (box) => {
    const tell = () => {
      box.classList.toggle("goes-on", box.scrollWidth - box.clientWidth - box.scrollLeft > 1);
    };
    box.addEventListener("scroll", tell, { passive: true });
    new ResizeObserver(tell).observe(box);
    if (box.firstElementChild) new ResizeObserver(tell).observe(box.firstElementChild);
  };

  addEventListener("DOMContentLoaded", () => {
    for (const box of document.querySelectorAll(".scroll")) watchEdge(box);
    for (const table of document.querySelectorAll("table.sortable")) {
      addButtons(table);
      addMore(table);
    }
  });
})();
