// The search box: rows and pictures that do not hold what is typed are hidden.
(() => {
  "use strict";
  const plain = (text) => text.normalize("NFKD").toLowerCase();

  addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("search");
    const told = document.getElementById("hits");
    const samples = document.getElementById("hit-samples");
    let items = null;

    const collect = () => {
      const found = document.querySelectorAll("table.sortable tbody tr, .card");
      return [...found].map((item) => [plain(item.textContent), item]);
    };

    const markNames = (wanted) => {
      for (const name of document.querySelectorAll(".confusion th")) {
        const isHit = wanted !== "" && plain(name.textContent).includes(wanted);
        name.classList.toggle("hit", isHit);
      }
    };

    const offerSamples = (wanted) => {
      const ids = window.fivefold.samples.map((sample) => plain(sample[0]));
      const hits = wanted.length < 2 ? [] : [...ids.keys()].filter((i) => ids[i].includes(wanted));
      samples.hidden = !hits.length;
      samples.textContent = hits.length === 1 ? "Open 1 sample" : `Open ${hits.length} samples`;
      samples.onclick = () => window.fivefold.open(box.value.trim(), hits);
    };

    const search = () => {
      const wanted = plain(box.value.trim());
      items ??= collect();
      let count = 0;
      for (const [text, item] of items) {
        const isHit = wanted === "" || text.includes(wanted);
        item.classList.toggle("miss", !isHit);
        count += isHit;
      }
      document.documentElement.classList.toggle("searching", wanted !== "");
      for (const section of document.querySelectorAll("main section")) {
        const own = [...section.querySelectorAll("table.sortable tbody tr, .card")];
        const isEmpty = wanted !== "" && own.every((item) => item.classList.contains("miss"));
        section.classList.toggle("empty", isEmpty);
      }
      told.textContent = wanted === "" ? "" : count === 1 ? "1 match" : `${count} matches`;
      markNames(wanted);
      offerSamples(wanted);
    };

    box.addEventListener("input", search);
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      box.value = "";
      search();
    });
    addEventListener("keydown", (event) => {
      const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
      if (event.key !== "/" || isTyping || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      box.focus();
    });
  });
})();
