"use strict";
(() => {
  const dialog = document.querySelector("dialog.loupe");
  const stage = dialog.querySelector(".stage");
  const now = dialog.querySelector(".now");
  const range = dialog.querySelector("input[type=range]");
  const flick = dialog.querySelector(".flick");
  const pick = (kind) => ({ a: dialog.querySelector(`${kind}[data-side=a]`), b: dialog.querySelector(`${kind}[data-side=b]`) });
  const selects = pick("select");
  const pictures = pick("img");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let tiles = [];
  let timer = 0;
  let alone = "";

  // One crop alone ("a" or "b"), or both with the divide between them.
  const draw = () => {
    const share = alone === "a" ? 100 : alone === "b" ? 0 : Number(range.value);
    stage.style.setProperty("--divide", `${share}%`);
    stage.classList.toggle("whole", alone !== "");
    const name = (side) => tiles[selects[side].value].dataset.label;
    now.textContent = alone ? name(alone) : `${name("a")} | ${name("b")}`;
  };
  const load = () => {
    for (const side of ["a", "b"]) {
      const picture = tiles[selects[side].value].querySelector("img");
      pictures[side].src = picture.src;
      pictures[side].alt = picture.alt;
    }
    draw();
  };
  const swap = () => {
    alone = alone === "b" ? "a" : "b";
    draw();
  };
  const still = () => {
    clearInterval(timer);
    timer = 0;
    alone = "";
    flick.setAttribute("aria-pressed", "false");
    draw();
  };
  const flicker = () => {
    if (calm.matches) return swap(); // nothing moves by itself: each press swaps
    if (flick.getAttribute("aria-pressed") === "true") return still();
    flick.setAttribute("aria-pressed", "true");
    swap();
    timer = setInterval(swap, 600); // well below three flashes a second
  };
  // Every pixel of a crop becomes a whole number of pixels of the page.
  const fit = () => {
    const side = Number(tiles[0].querySelector("img").getAttribute("width"));
    const room = Math.min(document.documentElement.clientWidth - 48, innerHeight - 250, 784);
    stage.style.width = stage.style.height = `${side * Math.max(1, Math.floor(room / side))}px`;
  };
  const open = (strip, index) => {
    tiles = [...strip.querySelectorAll(".tile button")];
    const target = tiles.findIndex((tile) => tile.dataset.kind === "target");
    const other = target < 0 ? tiles.length - 1 : target;
    for (const side of ["a", "b"]) {
      selects[side].replaceChildren(...tiles.map((tile, i) => new Option(tile.dataset.label, i)));
    }
    selects.a.value = index === other ? (other > 0 ? other - 1 : 0) : index;
    selects.b.value = other;
    range.value = 50;
    alone = "";
    fit();
    load();
    dialog.showModal();
    range.focus();
  };

  for (const strip of document.querySelectorAll(".strip")) {
    const own = [...strip.querySelectorAll(".tile button")];
    own.forEach((tile, index) => tile.addEventListener("click", () => open(strip, index)));
    const first = own.findIndex((tile) => tile.dataset.kind === "run");
    strip.querySelector("[data-open]").addEventListener("click", () => open(strip, Math.max(first, 0)));
  }
  for (const side of ["a", "b"]) selects[side].addEventListener("change", load);
  range.addEventListener("input", () => { if (timer || alone) still(); draw(); });
  flick.addEventListener("click", flicker);
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { clearInterval(timer); timer = 0; flick.setAttribute("aria-pressed", "false"); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.tagName === "SELECT") return;
    if (event.key === "f" || event.key === "F") { event.preventDefault(); flicker(); }
    if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); swap(); }
  });
  const drag = (event) => {
    const box = stage.getBoundingClientRect();
    range.value = Math.round(100 * (event.clientX - box.left) / box.width);
    if (timer || alone) still();
    draw();
  };
  stage.addEventListener("pointerdown", (event) => { event.preventDefault(); stage.setPointerCapture(event.pointerId); drag(event); });
  stage.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  addEventListener("resize", () => { if (dialog.open) fit(); });
  document.documentElement.classList.add("has-script");
})();
