// Tables: sorted by a click on a heading; numbers by size, what has none last.
(() => {
  "use strict";
  const numberIn = (text) => {
    const value = Number(text.replace(/^[\u2013\s]*$/, "x").replace(/^</, ""));
    return Number.isNaN(value) ? null : value;
  };
  const valueOf = (row, column, isText) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    return (isText ? null : numberIn(text)) ?? text;
  };
  const compare = (a, b, sign) => {
    const isKnown = [a, b].map((v) => typeof v === "number");
    if (isKnown[0] && isKnown[1]) return sign * (a - b);
    if (isKnown[0] !== isKnown[1]) return isKnown[0] ? -1 : 1;
    return sign * a.localeCompare(b, undefined, { numeric: true });
  };
  const sort = (table, heading) => {
    const isNumber = heading.dataset.sort === "number";
    const usual = isNumber ? ["descending", "ascending"] : ["ascending", "descending"];
    const order = heading.getAttribute("aria-sort") === usual[0] ? usual[1] : usual[0];
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => [
      valueOf(row, heading.cellIndex, !isNumber), row,
    ]);
    rows.sort((a, b) => compare(a[0], b[0], sign));
    table.tBodies[0].append(...rows.map((pair) => pair[1]));
    for (const other of heading.parentNode.cells) {
      if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    }
    heading.setAttribute("aria-sort", order);
  };
  addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll("table.sortable")) {
      for (const heading of table.tHead.rows[0].cells) {
        if (heading.cellIndex > 0 && !heading.dataset.sort) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.append(...heading.childNodes);
        heading.append(button);
        heading.setAttribute("aria-sort", "none");
        button.addEventListener("click", () => sort(table, heading));
      }
    }
  });
})();

// Parallel coordinates: a line for each experiment, axes to brush.
(() => {
  "use strict";
  const TOP = 74, BOTTOM = 26, SIDE = 62, HEIGHT = 430, LEAST = 104, TITLE = 15;
  const svgElement = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const cut = (text, most) => {
    const end = Math.floor(most / 2) - 1;
    return text.length <= most ? text : `${text.slice(0, most - end - 1)}…${text.slice(-end)}`;
  };
  const titleLines = (title) => {
    const lines = [""];
    for (const part of title.split(/(?<=[._])/)) {
      if (lines.at(-1) && (lines.at(-1) + part).length > TITLE) lines.push("");
      lines[lines.length - 1] += part;
    }
    return (lines.length > 3 ? ["…", ...lines.slice(-2)] : lines).map((line) => cut(line, TITLE + 3));
  };

  addEventListener("DOMContentLoaded", () => {
    const chart = document.getElementById("chart");
    if (!chart) return;
    const { names, styles, axes } = JSON.parse(document.getElementById("page-data").textContent);
    const tip = document.getElementById("tip");
    const told = document.getElementById("told");
    const clear = document.getElementById("clear");
    const brushes = new Map(); // axis to [low, high] in 0-1
    const yOf = (place) => TOP + (1 - place) * (HEIGHT - TOP - BOTTOM);
    const placeOf = (y) => Math.min(1, Math.max(0, 1 - (y - TOP) / (HEIGHT - TOP - BOTTOM)));
    let step = LEAST, lines = [], at = -1, isIn = names.map(() => true), svg = null;
    const xOf = (axis) => SIDE + axis * step;

    const rowsOf = (name) => [...document.querySelectorAll("tr[data-name]")].filter(
      (row) => row.dataset.name === name,
    );
    const rows = names.map(rowsOf);

    const mark = (number) => {
      if (at >= 0) for (const one of [lines[at], ...rows[at]]) one.classList.remove("on");
      at = number;
      if (at < 0) {
        tip.hidden = true;
        return;
      }
      for (const one of [lines[at], ...rows[at]]) one.classList.add("on");
      lines[at].parentNode.append(lines[at]);
    };
    const tellOf = (number, x, y) => {
      mark(number);
      if (number < 0) return;
      const head = document.createElement("strong");
      head.textContent = names[number];
      const verdict = document.createElement("div");
      verdict.className = "soft";
      verdict.textContent = (styles[number] || "unfinished").replace("-", " ");
      const table = document.createElement("table");
      for (const axis of axes) {
        const row = table.insertRow();
        row.insertCell().textContent = axis.title;
        row.insertCell().textContent = axis.texts[number];
      }
      tip.replaceChildren(head, verdict, table);
      tip.hidden = false;
      const width = chart.clientWidth;
      const isLate = x > width / 2;
      tip.style.left = isLate ? "" : `${x + 14}px`;
      tip.style.right = isLate ? `${width - x + 14}px` : "";
      tip.style.top = `${Math.max(0, Math.min(y - 20, HEIGHT - tip.offsetHeight))}px`;
    };

    const select = () => {
      isIn = names.map((_, i) =>
        [...brushes].every(([axis, [low, high]]) => {
          const place = axes[axis].places[i];
          return place >= low - 1e-6 && place <= high + 1e-6;
        }),
      );
      names.forEach((_, i) => {
        lines[i].classList.toggle("off", !isIn[i]);
        for (const row of rows[i]) row.classList.toggle("miss", !isIn[i]);
        if (!isIn[i]) lines[i].parentNode.prepend(lines[i]);
      });
      const count = isIn.filter(Boolean).length;
      told.textContent = brushes.size ? `${count} of ${names.length}` : "";
      clear.hidden = !brushes.size;
    };

    const drawBrush = (axis) => {
      svg.querySelector(`[data-brush="${axis}"]`)?.remove();
      if (!brushes.has(axis)) return;
      const [low, high] = brushes.get(axis);
      const [y, end] = [yOf(high), yOf(low)];
      svg.append(svgElement("rect", {
        class: "brush", "data-brush": axis, x: xOf(axis) - 5, y, width: 10, height: Math.max(2, end - y), rx: 3,
      }));
    };
    const localY = (event) => event.clientY - svg.getBoundingClientRect().top;
    const brushOn = (grip, axis) => {
      let start = null;
      grip.addEventListener("pointerdown", (event) => {
        start = localY(event);
        grip.setPointerCapture(event.pointerId);
        mark(-1);
      });
      grip.addEventListener("pointermove", (event) => {
        if (start === null || Math.abs(localY(event) - start) < 4) return;
        const ends = [placeOf(start), placeOf(localY(event))].sort((a, b) => a - b);
        brushes.set(axis, ends);
        drawBrush(axis);
        select();
      });
      const end = (event) => {
        if (start !== null && Math.abs(localY(event) - start) < 4) brushes.delete(axis);
        start = null;
        drawBrush(axis);
        select();
      };
      grip.addEventListener("pointerup", end);
      grip.addEventListener("pointercancel", () => { start = null; });
    };

    const drawAxis = (axis, i) => {
      const group = svgElement("g", {});
      group.append(svgElement("path", { class: "axis", d: `M${xOf(i)} ${TOP}V${HEIGHT - BOTTOM}` }));
      const words = titleLines(axis.title);
      words.forEach((line, k) => {
        const text = svgElement("text", {
          class: "title", x: xOf(i), y: TOP - 16 - 14 * (words.length - 1 - k),
        });
        text.textContent = line;
        group.append(text);
      });
      const whole = svgElement("title", {});
      whole.textContent = axis.title;
      for (const [place, label] of axis.ticks) {
        const text = svgElement("text", {
          class: "tick", x: xOf(i) + 6, y: yOf(place) - 4,
        });
        text.textContent = cut(label, 14);
        group.append(text);
      }
      const grip = svgElement("rect", {
        class: "grip", x: xOf(i) - 14, y: TOP - 8, width: 28, height: HEIGHT - TOP - BOTTOM + 16,
        "data-axis": i,
      });
      grip.append(whole);
      brushOn(grip, i);
      group.append(grip);
      return group;
    };

    const draw = () => {
      step = Math.max(LEAST, (chart.clientWidth - 2 * SIDE) / Math.max(1, axes.length - 1));
      const width = 2 * SIDE + step * (axes.length - 1);
      svg = svgElement("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
      if (names.length > 30) svg.setAttribute("class", "many");
      const group = svgElement("g", {});
      lines = names.map((_, i) => {
        const points = axes.map((axis, k) => `${xOf(k).toFixed(1)} ${yOf(axis.places[i]).toFixed(1)}`);
        return svgElement("path", {
          class: `line ${styles[i] || "unfinished"}`, d: `M${points.join("L")}`, "data-line": i,
        });
      });
      group.append(...lines.filter((_, i) => styles[i] !== "reference"));
      group.append(...lines.filter((_, i) => styles[i] === "reference"));
      svg.append(group, ...axes.map(drawAxis));
      chart.replaceChildren(svg);
      at = -1;
      tip.hidden = true;
      for (const axis of brushes.keys()) drawBrush(axis);
      select();
    };

    const nearest = (x, y) => {
      const axis = Math.min(axes.length - 2, Math.max(0, Math.floor((x - SIDE) / step)));
      const share = Math.min(1, Math.max(0, (x - xOf(axis)) / step));
      let best = -1, least = 14;
      names.forEach((_, i) => {
        if (!isIn[i]) return;
        const [left, right] = [yOf(axes[axis].places[i]), yOf(axes[axis + 1].places[i])];
        const far = Math.abs(left + share * (right - left) - y);
        const isBetter = far < least || (far === least && styles[i] === "reference");
        if (isBetter) [best, least] = [i, far];
      });
      return best;
    };
    chart.addEventListener("pointermove", (event) => {
      if (event.buttons) return;
      const box = svg.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      tellOf(nearest(x, y), event.clientX - chart.getBoundingClientRect().left, y);
    });
    chart.addEventListener("pointerleave", () => mark(-1));
    chart.addEventListener("blur", () => mark(-1));
    chart.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        mark(-1);
        return;
      }
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const some = names.map((_, i) => i).filter((i) => isIn[i]);
      if (!by || !some.length) return;
      event.preventDefault();
      const place = some.indexOf(at);
      const next = some[(place < 0 ? (by > 0 ? 0 : some.length - 1) : place + by + some.length) % some.length];
      tellOf(next, 40, yOf(axes[0].places[next]));
    });
    clear.addEventListener("click", () => {
      brushes.clear();
      draw();
    });
    names.forEach((_, i) => {
      for (const row of rows[i]) {
        row.addEventListener("pointerenter", () => mark(i));
        row.addEventListener("pointerleave", () => mark(-1));
      }
    });
    const key = document.getElementById("key");
    for (const style of new Set(styles.map((one) => one || "unfinished"))) {
      const item = document.createElement("li");
      item.className = style;
      item.append(document.createElement("i"), style.replace("-", " "));
      key.append(item);
    }
    let width = 0;
    new ResizeObserver(() => {
      if (chart.clientWidth === width) return;
      width = chart.clientWidth;
      draw();
    }).observe(chart);
  });
})();
