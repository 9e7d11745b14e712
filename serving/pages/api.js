// The public API. What was asked once is kept until the question changes.

const held = new Map();
let key = sessionStorage.getItem("key") || "";

export function forget() {
  held.clear();
}

export function use(said) {
  key = said || key;
}

export function get(url) {
  if (!held.has(url)) held.set(url, fetched(url, url, {}));
  return held.get(url);
}

// An answer, or why there is none.
export const orReason = (asked) => asked.catch((error) => ({ failed: error.message }));

// A question with a body; the service stores nothing of it.
export function post(url, question) {
  const body = JSON.stringify(question);
  const name = `${url} ${body}`;
  if (!held.has(name)) held.set(name, fetched(name, url, { method: "POST", body }));
  return held.get(name);
}

async function fetched(name, url, how) {
  const headers = { ...(how.body && { "Content-Type": "application/json" }), ...(key && { "X-API-Key": key }) };
  const reply = await fetch(url, { ...how, headers });
  const body = await reply.json();
  if (reply.ok) {
    if (key) sessionStorage.setItem("key", key);
    return body;
  }
  held.delete(name);
  throw Object.assign(new Error(body.detail), { status: reply.status });
}
