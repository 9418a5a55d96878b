// Native pixels: how large a crop is on this screen, and whether everything fits without scrolling.

const GAP = 16; // between the pictures
const MARGIN = 24; // left and right of them
const AROUND = 128; // above and below them: question, progress, keys

export function ratio() {
  return window.devicePixelRatio || 1;
}

export function needed(about) {
  const side = about.crop / ratio();
  const across = about.reference === "shown" ? 3 : 2;
  return {
    width: Math.ceil(across * side + (across - 1) * GAP + 2 * MARGIN),
    height: Math.ceil(side + AROUND),
  };
}

export function fits(about) {
  const wanted = needed(about);
  return innerWidth >= wanted.width && innerHeight >= wanted.height && !pinched();
}

export function pinched() {
  return Math.abs((window.visualViewport?.scale || 1) - 1) > 0.01;
}

export function phone() {
  return matchMedia("(hover: none) and (pointer: coarse)").matches && Math.min(screen.width, screen.height) < 600;
}

// Gives the pictures their size, and moves each by a fraction of a pixel, so that it begins with a whole one of the
// screen: the browser would otherwise draw some of its rows or columns twice, or not at all.
export function layOut(about) {
  document.documentElement.style.setProperty("--side", `${about.crop / ratio()}px`);
  for (const picture of document.querySelectorAll(".picture")) {
    picture.style.left = picture.style.top = "0";
    const place = picture.getBoundingClientRect();
    for (const [edge, at] of [["left", place.left * ratio()], ["top", place.top * ratio()]]) {
      picture.style[edge] = `${(Math.round(at) - at) / ratio()}px`;
    }
  }
}

export function fillScreen() {
  document.documentElement.requestFullscreen?.().catch(() => {});
}

// Calls now, and whenever the window, the zoom or the screen changes; returns what ends it.
export function watch(change) {
  const stop = new AbortController();
  const events = { signal: stop.signal };
  const zoomed = () => {
    matchMedia(`(resolution: ${ratio()}dppx)`).addEventListener("change", () => (change(), zoomed()), { ...events, once: true });
  };
  window.addEventListener("resize", change, events);
  window.visualViewport?.addEventListener("resize", change, events);
  zoomed();
  change();
  return () => stop.abort();
}
