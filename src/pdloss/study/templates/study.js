// The study from the rater's side: consent, screen, practice, questions, thanks. Reloading goes on where it was.

import { act, answered, pressed, questionSection, setProgress, setTexts, show, slot } from "./ask.js";
import { Pictures } from "./pictures.js";
import { Memory, Queue } from "./queue.js";
import { Refused, ask, passes, patiently, random } from "./requests.js";
import { fillScreen, fits, layOut, needed, phone, pinched, ratio, watch } from "./screen.js";

const PARAMETERS = ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "workerId", "assignmentId", "hitId"];

const token = location.hash.startsWith("#rater=") ? location.hash.slice(7) : null;
const query = new URLSearchParams(location.search);
const parameters = Object.fromEntries(PARAMETERS.filter((name) => query.get(name)).map((name) => [name, query.get(name).slice(0, 200)]));
const person = token || parameters.PROLIFIC_PID || parameters.workerId || "";

const notes = { answers: "", requests: "" };

function say(about, words) {
  notes[about] = words;
  const status = document.getElementById("status");
  const said = notes.answers || notes.requests;
  if (status.textContent !== said) status.textContent = said;
}

const trouble = (error) => {
  if (!(error instanceof Refused)) return "No connection";
  return error.status === 503 ? "The server cannot save anything at the moment" : "The server is busy";
};
const offline = (error) => say("requests", error ? `${trouble(error)}. Trying again …` : "");

async function message(title, text, retry = true) {
  const section = show("message", { title, text });
  act(section, "again").hidden = !retry;
  if (retry) await pressed(act(section, "again"));
  return new Promise(() => retry && location.reload());
}

async function consent(about) {
  const section = show("consent", { title: about.title, count: about.questions });
  const paragraphs = about.consent.split(/\n\s*\n/).map((text) => Object.assign(document.createElement("p"), { textContent: text }));
  slot(section, "consent").replaceChildren(...paragraphs);
  if ((await pressed(act(section, "yes"), act(section, "no"))) === "no") {
    await message("Thank you all the same", "You did not agree, and nothing was saved. You can close this page.", false);
  }
}

async function screenCheck(about) {
  const section = show("screen", { crop: `${about.crop}\u00a0×\u00a0${about.crop}` });
  const next = act(section, "next");
  const end = watch(() => {
    const wanted = needed(about);
    const good = fits(about);
    setTexts(section, {
      window: `${innerWidth} × ${innerHeight}`,
      needed: `${wanted.width} × ${wanted.height}`,
      ratio: `${Math.round(100 * ratio())} %`,
      verdict: good
        ? "Your window is large enough."
        : pinched()
          ? "Please undo the zoom of two fingers."
          : "Please make the window larger, or the page smaller (Ctrl and −; on a Mac ⌘ and −).",
    });
    section.classList.toggle("good", good);
    next.disabled = !good;
    act(section, "fullscreen").hidden = good || !document.fullscreenEnabled;
  });
  act(section, "fullscreen").addEventListener("click", fillScreen);
  next.focus();
  await pressed(next);
  end();
}

async function begin(memory) {
  if (!memory.read().nonce) memory.write({ nonce: random() });
  const body = { nonce: memory.read().nonce, parameters, screen: { width: innerWidth, height: innerHeight, ratio: ratio() } };
  if (token) body.token = token;
  try {
    const session = await patiently(() => ask("api/begin", null, body), offline);
    memory.write({ key: session.key });
    return session;
  } catch (error) {
    return message(error.status === 410 ? "This was too long ago" : "You cannot begin", error.message, error.status === 423);
  }
}

// Covers the questions while the window is too small for them.
function guard(about) {
  const cover = document.getElementById("cover");
  const fullscreen = document.getElementById("fullscreen");
  fullscreen.hidden = !document.fullscreenEnabled;
  fullscreen.addEventListener("click", fillScreen);
  watch(() => {
    layOut(about);
    const wanted = needed(about);
    const covered = !fits(about) && document.body.className === "question";
    const appears = covered && cover.hidden;
    cover.hidden = !covered;
    document.getElementById("page").inert = covered;
    if (appears) fullscreen.focus();
    document.getElementById("cover-text").textContent = pinched()
      ? "Please undo the zoom of two fingers."
      : `It is ${innerWidth} × ${innerHeight}, and ${wanted.width} × ${wanted.height} are needed.`;
  });
  return () => {
    window.dispatchEvent(new Event("resize"));
    return !cover.hidden;
  };
}

async function practise(about, session, pictures, blocked) {
  const items = session.training;
  const intro = show("practice", { question: about.question, count: items.length === 1 ? "one is" : `${items.length} are` });
  slot(intro, "demand").hidden = about.reference !== "demand";
  await pressed(act(intro, "next"));
  const section = questionSection(about);
  const feedback = slot(section, "feedback");
  for (const [k, item] of items.entries()) {
    setProgress(section, k, items.length, `Practice ${k + 1} of ${items.length}`);
    blocked();
    const { choice } = await answered(section, await pictures.of(`t${k}`, item), new AbortController().signal, blocked);
    section.classList.add("visible", "told", `right-${item.expected}`);
    const right = choice === item.expected;
    feedback.textContent = `${right ? "Yes" : "No"}: the better one is on the ${item.expected}.`;
    feedback.classList.toggle("wrong", !right);
    const next = act(section, "next");
    next.hidden = false;
    next.focus();
    await pressed(next);
    next.hidden = true;
    feedback.textContent = "";
    section.classList.remove("visible", "told", `right-${item.expected}`);
    pictures.drop(`t${k}`);
  }
}

async function questions(about, session, pictures, queue, blocked, state) {
  const items = session.questions;
  const section = questionSection(about);
  while (state.position < items.length) {
    const place = state.position;
    const item = items[place];
    setProgress(section, place, items.length, `${place + 1} of ${items.length}`);
    blocked();
    state.jump = new AbortController();
    const addresses = await pictures.of(place, item);
    const given = await answered(section, addresses, state.jump.signal, blocked);
    if (given && state.position === place) {
      state.position = place + 1;
      queue.add({ position: place, question: item.id, choice: given.choice, seconds: given.seconds, key: random(18) });
    }
    pictures.drop(place);
  }
}

async function thanks(about, memory, code) {
  const section = show("done", { code });
  const copy = act(section, "copy");
  copy.addEventListener("click", async () => {
    getSelection().selectAllChildren(section.querySelector(".code"));
    await (navigator.clipboard ? navigator.clipboard.writeText(code) : Promise.resolve(document.execCommand("copy"))).catch(() => {});
    copy.textContent = "Copied";
  });
  const again = act(section, "again");
  again.hidden = Boolean(person);
  await pressed(again);
  memory.clear();
  location.reload();
}

async function known(memory) {
  if (!memory.read().key) return null;
  try {
    return await patiently(() => ask("api/session", memory.read().key), offline);
  } catch (error) {
    if (error.status === 410) return message("This was too long ago", error.message, false);
    memory.clear(); // the server has forgotten everybody
    return null;
  }
}

async function main() {
  const about = await patiently(() => ask("api/study"), offline);
  document.title = about.title;
  if (phone() && !about.phones) {
    await message("A larger screen is needed", "The pictures of this study do not fit on a phone. Please open this address on a computer: thank you!", false);
  }
  if (about.tokens && !token) await message("By invitation", "This study needs the link that you were sent. Please copy it whole.", false);
  if (parameters.assignmentId === "ASSIGNMENT_ID_NOT_AVAILABLE") {
    await message("A preview", "Please accept the task first; then open this page again.", false);
  }
  const memory = new Memory(`pdloss ${about.id} ${person}`);
  let session = await known(memory);
  if (!session) await consent(about);
  if (!session || (!fits(about) && session.code === undefined)) await screenCheck(about);
  session ||= await begin(memory);

  const state = { position: session.position, jump: new AbortController() };
  const queue = new Queue(
    memory,
    (waiting, error) =>
      say("answers", error ? `${trouble(error)}: ${waiting === 1 ? "an answer is" : `${waiting} answers are`} kept here and sent later.` : ""),
    (position) => {
      if (position <= state.position) return;
      state.position = position;
      state.jump.abort();
    },
  );
  window.addEventListener("beforeunload", (event) => queue.waiting.length && event.preventDefault());
  // Given before the page was closed, and not yet acknowledged.
  for (const answer of queue.waiting) state.position = Math.max(state.position, answer.position + 1);
  queue.send();

  const blocked = guard(about);
  if (state.position < session.questions.length) {
    const pictures = new Pictures(memory.read().key, about.crop, offline);
    const training = state.position || memory.read().practised ? [] : session.training;
    const places = session.questions.map((_, k) => k).slice(state.position);
    pictures.ahead(
      [...training.map((_, k) => `t${k}`), ...places],
      [...training, ...places.map((k) => session.questions[k])],
    );
    if (training.length) await practise(about, session, pictures, blocked);
    if (!state.position && !memory.read().started) {
      memory.write({ practised: true });
      const start = show("start", { count: session.questions.length });
      slot(start, "forced").hidden = about.ties;
      await pressed(act(start, "next"));
      memory.write({ started: true });
    }
    await questions(about, session, pictures, queue, blocked, state);
  }
  if (queue.waiting.length) show("sending");
  await queue.send();
  const code = queue.code || session.code || (await patiently(() => ask("api/session", memory.read().key), offline)).code;
  await thanks(about, memory, code);
}

main().catch((error) => message("Something went wrong", passes(error) ? String(error) : error.message));
