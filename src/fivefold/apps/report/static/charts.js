// Charts: the values below the pointer, also by arrow keys; lines that can be put out.
(() => {
  "use strict";
  const numbers = (text) => text.split(" ").map(Number);

  const pointsOf = (line) =>
    line.firstElementChild
      .getAttribute("d")
      .split(/[ML]/)
      .filter(Boolean)
      .map((pair) => numbers(pair));

  const written = (value) => {
    const size = Math.abs(value);
    return size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(2) : value.toFixed(4);
  };

  const enliven = (svg) => {
    const [left, top, right, bottom] = numbers(svg.dataset.plot);
    const [lowX, highX] = numbers(svg.dataset.x);
    const [lowY, highY] = numbers(svg.dataset.y);
    const isWhole = svg.dataset.whole === "1";
    const lines = [...svg.querySelectorAll(".line[data-name]")].map((line) => [
      line, pointsOf(line),
    ]);
    lines.sort((a, b) => a[0].dataset.name.localeCompare(b[0].dataset.name, "en", { numeric: true }));
    const places = [...new Set(lines.flatMap(([, points]) => points.map((p) => p[0])))];
    places.sort((a, b) => a - b);
    if (!places.length) return;
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "path");
    cursor.setAttribute("class", "cursor");
    svg.append(cursor);
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-live", "polite");
    svg.after(tip);
    let at = -1;

    const xOf = (place) => lowX + ((place - left) / (right - left)) * (highX - lowX);
    const yOf = (place) => highY - ((place - top) / (bottom - top)) * (highY - lowY);

    const show = (i) => {
      at = Math.min(Math.max(i, 0), places.length - 1);
      const place = places[at];
      cursor.setAttribute("d", `M${place} ${top}V${bottom}`);
      const x = xOf(place);
      const rows = new Map();
      for (const [line, points] of lines) {
        const point = points.find((p) => p[0] === place);
        if (!point || line.classList.contains("off")) continue;
        const row = rows.get(line.dataset.name) ?? new Map();
        rows.set(line.dataset.name, row.set(line.dataset.part, [line, written(yOf(point[1]))]));
      }
      const table = document.createElement("table");
      for (const [name, row] of rows) {
        const [line, value] = row.get("") ?? [[...row.values()][0][0], ""];
        const mark = document.createElement("i");
        mark.className = line.getAttribute("class").replace("line", "");
        const made = table.insertRow();
        made.insertCell().append(mark, name);
        made.insertCell().textContent = value;
        for (const [part, [, other]] of row) {
          if (part) made.insertCell().textContent = `${part} ${other}`;
        }
      }
      const head = document.createElement("strong");
      head.textContent = `${svg.dataset.label} ${isWhole ? Math.round(x) : x.toFixed(3)}`;
      tip.replaceChildren(head, table);
      tip.hidden = false;
      const box = svg.getBoundingClientRect();
      const scale = box.width / svg.viewBox.baseVal.width;
      const isLate = place > (left + right) / 2;
      tip.style.left = isLate ? "" : `${place * scale + 12}px`;
      tip.style.right = isLate ? `${box.width - place * scale + 12}px` : "";
      tip.style.top = `${top * scale}px`;
    };
    const hide = () => {
      tip.hidden = true;
      cursor.setAttribute("d", "");
    };

    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const near = places.map((place) => Math.abs(place - x));
      show(near.indexOf(Math.min(...near)));
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: places.length };
      if (event.key === "Escape") hide();
      if (!(event.key in steps)) return;
      event.preventDefault();
      show(steps[event.key]);
    });
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("svg.chart[data-plot]").forEach(enliven);
    for (const button of document.querySelectorAll("button[data-line]")) {
      button.addEventListener("click", () => {
        const isOn = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(isOn));
        const charts = button.closest("section").querySelectorAll(`.line.${button.dataset.line}`);
        for (const line of charts) line.classList.toggle("off", !isOn);
      });
    }
  });
})();
