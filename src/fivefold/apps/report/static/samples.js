// The samples behind a count: a cell of a matrix or a button opens their pictures.
(() => {
  "use strict";
  const element = (tag, name, ...content) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    made.append(...content);
    return made;
  };
  const isolated = (text) => element("bdi", "", text);
  const share = (part, whole) => (whole ? ` (${((100 * part) / whole).toFixed(1)} %)` : "");

  // What is shown of each head: its class names, and "<first>,<second>" to samples of that kind.
  const titleOf = (head, key) => {
    const [first, second] = key.split(",");
    const names = head.classes;
    const label = isolated(names[second]);
    if (first === "missed") return [label, " was missed"];
    if (first === "invented") return [label, " was found where it is not"];
    if (first === "found") return [label, " was found"];
    if (first === second) return [label, " was recognised"];
    return [isolated(names[first]), " was taken for ", label];
  };

  addEventListener("DOMContentLoaded", () => {
    const data = JSON.parse(document.getElementById("page-data").textContent);
    const viewer = document.getElementById("viewer");
    const title = document.getElementById("viewer-title");
    const note = document.getElementById("viewer-note");
    const grid = document.getElementById("viewer-grid");
    const others = document.getElementById("viewer-others");
    const [previous, next] = viewer.querySelectorAll("[data-step]");
    let shown = null;

    const card = ([id, fold, url], sure) => {
      const about = fold < 0 ? "" : `fold ${fold}`;
      const told = sure === undefined ? about : `p = ${sure.toFixed(3)}${about && " · "}${about}`;
      const name = element("span", "id", isolated(id));
      name.title = id;
      const made = element("li", "", name, element("span", "soft", told));
      if (url) {
        const image = element("img");
        image.src = url;
        image.alt = "";
        made.prepend(element("div", "frame", image));
      }
      return made;
    };

    const fill = (words, about, entries) => {
      title.replaceChildren(...words);
      note.textContent = about;
      const made = entries.map(([sample, sure]) => card(data.samples[sample], sure));
      const isPicture = (item) => item.firstChild.className === "frame";
      grid.replaceChildren(...made.filter(isPicture));
      others.replaceChildren(...made.filter((item) => !isPicture(item)));
      if (!viewer.open) viewer.showModal();
      viewer.scrollTop = 0;
    };

    const openCell = (number, key) => {
      const head = data.heads[number];
      const [count, entries] = head.cells[key] ?? [0, []];
      if (!count) return;
      shown = [number, key];
      const [first, second] = key.split(",");
      const isPair = /^\d/.test(first);
      const total = head.totals[isPair ? first : second];
      const of = first === "invented" ? "" : ` of ${total}`;
      const kind = first === second || first === "found" ? "the least sure" : "the surest";
      const some = entries.length < count ? `; ${kind} ${entries.length} are shown` : "";
      const samples = count === 1 && !of ? "sample" : "samples";
      fill(titleOf(head, key), `${count}${of} ${samples}${of && share(count, total)}${some}`, entries);
      const isMistake = head.mistakes.includes(key);
      previous.hidden = next.hidden = !isMistake || head.mistakes.length < 2;
    };

    const openSamples = (words, chosen) => {
      shown = null;
      previous.hidden = next.hidden = true;
      const some = chosen.length > 200 ? "; the first 200 are shown" : "";
      const about = `${chosen.length} of the samples in this page${some}`;
      fill([isolated(words)], about, chosen.slice(0, 200).map((i) => [i]));
    };
    window.fivefold = { samples: data.samples, open: openSamples };

    const step = (by) => {
      if (!shown || previous.hidden) return;
      const keys = data.heads[shown[0]].mistakes;
      const at = keys.indexOf(shown[1]);
      openCell(shown[0], keys[(at + by + keys.length) % keys.length]);
    };
    previous.addEventListener("click", () => step(-1));
    next.addEventListener("click", () => step(1));
    viewer.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") step(-1);
      if (event.key === "ArrowRight") step(1);
    });
    document.getElementById("viewer-close").addEventListener("click", () => viewer.close());
    viewer.addEventListener("click", (event) => {
      if (event.target === viewer) viewer.close(); // beside the content
    });
    addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-cell]");
      if (button) openCell(...button.dataset.cell.split(":"));
    });

    for (const table of document.querySelectorAll("table.confusion")) {
      const head = data.heads[table.dataset.head];
      const kept = table.dataset.classes.split(" ");
      const body = table.tBodies[0];
      const readout = document.getElementById(table.dataset.readout);
      const usual = [...readout.childNodes];
      const place = (cell) => [cell.parentNode.rowIndex - 1, cell.cellIndex - 1];
      const keyOf = (cell) => place(cell).map((i) => kept[i]).join(",");
      const headings = (cell) => [
        cell.parentNode.cells[0],
        table.tHead.rows[0].cells[cell.cellIndex],
      ];
      let marked = [];

      const tell = (cell) => {
        for (const heading of marked) heading.classList.remove("on");
        marked = cell ? headings(cell) : [];
        for (const heading of marked) heading.classList.add("on");
        if (!cell) {
          readout.replaceChildren(...usual);
          return;
        }
        const key = keyOf(cell);
        const [first] = key.split(",");
        const count = head.cells[key]?.[0] ?? 0;
        const total = head.totals[first];
        readout.replaceChildren(
          ...titleOf(head, key), `: ${count} of ${total}${share(count, total)}`,
        );
        cell.setAttribute("aria-label", readout.textContent);
      };
      const focus = (row, column) => {
        const cell = body.rows[row]?.cells[column];
        if (!cell || cell.tagName !== "TD") return;
        body.querySelector("td[tabindex='0']")?.setAttribute("tabindex", "-1");
        cell.tabIndex = 0;
        cell.focus();
      };
      body.rows[0].cells[1].tabIndex = 0;
      body.addEventListener("pointerover", (event) => {
        const cell = event.target.closest("td");
        if (cell) tell(cell);
      });
      body.addEventListener("pointerleave", () => tell(null));
      body.addEventListener("focusin", (event) => tell(event.target.closest("td")));
      body.addEventListener("focusout", () => tell(null));
      body.addEventListener("click", (event) => {
        const cell = event.target.closest("td");
        if (!cell) return;
        focus(cell.parentNode.rowIndex - 1, cell.cellIndex);
        openCell(table.dataset.head, keyOf(cell));
      });
      body.addEventListener("keydown", (event) => {
        const cell = event.target.closest("td");
        if (!cell) return;
        const [row, column] = [cell.parentNode.rowIndex - 1, cell.cellIndex];
        const moves = {
          ArrowUp: [row - 1, column],
          ArrowDown: [row + 1, column],
          ArrowLeft: [row, column - 1],
          ArrowRight: [row, column + 1],
          Home: [row, 1],
          End: [row, kept.length],
        };
        if (event.key in moves) focus(...moves[event.key]);
        else if (event.key === "Enter" || event.key === " ") {
          openCell(table.dataset.head, keyOf(cell));
        } else return;
        event.preventDefault();
      });
    }
  });
})();
