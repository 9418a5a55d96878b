// One step of the study at a time on the page: texts from the templates, and one question with its two pictures.

const BLANK = 150; // milliseconds without pictures, so that one question is told from the next

export function show(name, texts = {}) {
  const page = document.getElementById("page");
  page.replaceChildren(document.getElementById(name).content.cloneNode(true));
  setTexts(page, texts);
  document.body.className = name;
  const title = page.querySelector("h1");
  title.tabIndex = -1;
  title.focus();
  return page.firstElementChild;
}

export function setTexts(element, texts) {
  for (const [name, text] of Object.entries(texts)) {
    element.querySelectorAll(`[data-text="${name}"]`).forEach((place) => (place.textContent = text));
  }
}

export function slot(element, name) {
  return element.querySelector(`[data-slot="${name}"]`);
}

export function act(element, name) {
  return element.querySelector(`[data-act="${name}"]`);
}

export function pressed(...buttons) {
  return new Promise((resolve) => {
    for (const button of buttons) button?.addEventListener("click", () => resolve(button.dataset.act), { once: true });
  });
}

// The section of questions, made once and filled again and again.
export function questionSection(about) {
  const section = show("question", { question: about.question });
  slot(section, "between").hidden = about.reference !== "shown";
  act(section, "reference").hidden = about.reference !== "demand";
  section.querySelector('[data-choice="tie"]').hidden = !about.ties;
  return section;
}

export function setProgress(section, done, total, words) {
  const bar = section.querySelector("progress");
  bar.max = total;
  bar.value = done;
  setTexts(section, { progress: words });
}

// Shows the pictures and resolves to {choice, seconds}, or to null once `signal` says that it is no longer asked.
export async function answered(section, addresses, signal, blocked) {
  const images = Object.entries(addresses).map(([name, address]) => Object.assign(slot(section, name), { src: address }));
  await Promise.all([new Promise((resolve) => setTimeout(resolve, BLANK)), ...images.map((image) => image.decode())]);
  if (signal.aborted) return null;
  section.classList.add("visible");
  let seen = performance.now();
  requestAnimationFrame(() => requestAnimationFrame((painted) => (seen = painted)));
  const result = await choice(section, addresses, signal, blocked);
  section.classList.remove("visible");
  return result && { choice: result.choice, seconds: Math.round(Math.max(0, result.at - seen)) / 1000 };
}

function choice(section, addresses, signal, blocked) {
  return new Promise((resolve) => {
    const own = new AbortController();
    const events = { signal: own.signal };
    const toggle = act(section, "reference");
    const original = () => toggle.getAttribute("aria-pressed") === "true";
    const flip = (on) => {
      toggle.setAttribute("aria-pressed", String(on));
      section.classList.toggle("original", on);
      slot(section, "left").src = on ? addresses.reference : addresses.left;
      slot(section, "right").src = on ? addresses.reference : addresses.right;
    };
    const end = (result) => {
      own.abort();
      if (original()) flip(false);
      resolve(result);
    };
    const take = (side) => {
      // With the original on both sides there is nothing to choose; behind the cover nothing is seen.
      if (!original() && !blocked()) end({ choice: side, at: performance.now() });
    };
    section.querySelectorAll("[data-choice]").forEach((button) => {
      button.addEventListener("click", () => take(button.dataset.choice), events);
    });
    toggle.addEventListener("click", () => flip(!original()), events);
    const keys = { ArrowLeft: "left", ArrowRight: "right", ...(section.querySelector('[data-choice="tie"]').hidden ? {} : { ArrowDown: "tie" }) };
    document.addEventListener(
      "keydown",
      (event) => {
        if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
        if (event.key in keys) {
          event.preventDefault();
          take(keys[event.key]);
        } else if (event.key.toLowerCase() === "r" && !toggle.hidden) {
          flip(!original());
        }
      },
      events,
    );
    signal.addEventListener("abort", () => end(null), events);
  });
}
