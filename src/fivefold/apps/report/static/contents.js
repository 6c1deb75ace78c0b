// The contents say where one is; what is folded is printed unfolded.
(() => {
  "use strict";
  addEventListener("DOMContentLoaded", () => {
    const links = new Map();
    for (const link of document.querySelectorAll(".contents a")) {
      links.set(link.getAttribute("href").slice(1), link);
    }
    const menu = document.querySelector(".contents details");
    const wide = matchMedia("(min-width: 1200px)");
    const fold = () => {
      menu.open = wide.matches;
    };
    wide.addEventListener("change", fold);
    fold();
    menu.addEventListener("click", (event) => {
      if (event.target.closest("a") && !wide.matches) menu.open = false;
    });

    const visible = new Set();
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) visible.add(entry.target.id);
        else visible.delete(entry.target.id);
      }
      const first = [...links.keys()].find((id) => visible.has(id));
      for (const [id, link] of links) {
        if (id === first) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }, { rootMargin: "-15% 0px -60% 0px" });
    for (const id of links.keys()) {
      const section = document.getElementById(id);
      if (section) watch.observe(section);
    }

    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("main details:not([open])")];
      for (const details of opened) details.open = true;
    });
    addEventListener("afterprint", () => {
      for (const details of opened) details.open = false;
    });
  });
})();
