// The researcher's page: counts, early preferences, pause, export. The secret stays out of addresses that are sent.

import { setTexts } from "./ask.js";
import { Refused, ask, patiently } from "./requests.js";

const EVERY = 5000;
const part = (id) => document.getElementById(id);
let secret = location.hash.slice(1) || sessionStorage.getItem("pdloss admin") || "";
let paused = false;

function cell(tag, text, scope) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (scope) made.scope = scope;
  return made;
}

function draw(found) {
  const { methods, preferred, ties } = found;
  setTexts(part("overview"), {
    ...found,
    finished: `${found.finished} of ${found.planned}`,
    seconds: found.seconds === null ? "–" : `${found.seconds.toFixed(1)} s`,
    catch_share: found.catch_share === null ? "–" : `${Math.round(100 * found.catch_share)} %`,
  });
  const head = document.createElement("tr");
  head.append(cell("td", ""), ...methods.map((name) => cell("th", name, "col")));
  const rows = methods.map((name, a) => {
    const row = document.createElement("tr");
    const cells = methods.map((_, b) => {
      const given = preferred[a][b] + preferred[b][a] + ties[a][b];
      const share = (preferred[a][b] + ties[a][b] / 2) / given;
      return cell("td", a === b ? "" : given ? `${share.toFixed(2)} (${given})` : "–");
    });
    row.append(cell("th", name, "row"), ...cells);
    return row;
  });
  part("preferences").replaceChildren(head, ...rows);
  paused = found.paused;
  part("pause").textContent = paused ? "Let new raters in again" : "Pause: let no new rater in";
  part("said").textContent = paused ? "Paused: who has begun can go on, nobody new can begin." : "";
  part("problem").textContent = found.problem ? `No answer can be saved: ${found.problem}. Pages keep their raters' answers and try again: make room on the disk, or see to the database.` : "";
  part("enter").hidden = true;
  part("overview").hidden = false;
}

function complain(error) {
  part("said").textContent = error instanceof Refused ? error.message : "No connection to the server. These are the last numbers it sent.";
}

async function refresh() {
  try {
    draw(await patiently(() => ask("api/admin/overview", secret), (error) => error && complain(error)));
  } catch (error) {
    part("refusal").textContent = secret ? error.message : "";
    part("enter").hidden = false;
    part("overview").hidden = true;
    return;
  }
  sessionStorage.setItem("pdloss admin", secret);
  history.replaceState(null, "", location.pathname);
  setTimeout(refresh, EVERY);
}

part("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  secret = part("secret").value.trim();
  refresh();
});

part("pause").addEventListener("click", () => ask("api/admin/pause", secret, { paused: !paused }).then(draw).catch(complain));

async function download(name) {
  const reply = await fetch(`api/admin/export/${name}`, { headers: { Authorization: `Bearer ${secret}` } });
  if (!reply.ok) throw new Refused(reply.status, await reply.json().catch(() => ({})));
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await reply.blob()), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

document.querySelectorAll("[data-export]").forEach((button) => {
  button.addEventListener("click", () => download(button.dataset.export).catch(complain));
});

refresh();
