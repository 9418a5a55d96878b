"use strict";
(() => {
  const dialog = document.querySelector("dialog.flicker");
  const picture = dialog.querySelector("img");
  const [label, other] = [dialog.querySelector("b"), dialog.querySelector(".caption span")];
  let tiles = [];
  let at = 0;

  // What a crop is held against: the target, or where it is gone the last crop of the row.
  const reference = () => tiles.find((tile) => tile.dataset.kind === "target") || tiles[tiles.length - 1];
  const draw = (tile) => {
    picture.src = tile.querySelector("img").src;
    label.textContent = tile.dataset.label;
    dialog.classList.toggle("held", tile !== tiles[at]);
  };
  const step = (by) => {
    at = (at + by + tiles.length) % tiles.length;
    draw(tiles[at]);
  };

  for (const strip of document.querySelectorAll(".strip")) {
    const own = [...strip.querySelectorAll("button")];
    own.forEach((tile, index) => tile.addEventListener("click", () => {
      tiles = own;
      at = index;
      other.textContent = reference().dataset.label;
      draw(tile);
      dialog.showModal();
    }));
  }
  picture.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    draw(reference());
  });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
    picture.addEventListener(end, () => draw(tiles[at]));
  }
  picture.addEventListener("contextmenu", (event) => event.preventDefault());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") step(event.key === "ArrowLeft" ? -1 : 1);
    if (event.key === " ") { event.preventDefault(); draw(reference()); }
  });
  dialog.addEventListener("keyup", (event) => {
    if (event.key === " ") { event.preventDefault(); draw(tiles[at]); }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
    if (event.target.dataset.step) step(Number(event.target.dataset.step));
  });
  document.documentElement.classList.add("has-script");
})();
