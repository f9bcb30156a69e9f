// Photos that were searched for, kept in this browser so that "back" and "reload" can show them
// again: a few, for an hour, and none after signing out. Large files stay in this tab's memory.

const DATABASE = "sightings";
const STORE = "photos";
const MOST = 8;
const LIFE_MS = 3_600_000;
const LARGEST_BYTES = 32 << 20;
const here = new Map();

/** Keep files; returns the name to ask for them again. */
export async function keepPhotos(files) {
  const name = crypto.getRandomValues(new Uint32Array(2)).reduce((text, n) => text + n.toString(36), "");
  here.set(name, files);
  if (files.reduce((total, file) => total + file.size, 0) <= LARGEST_BYTES) {
    await inStore("readwrite", (store) => store.put({ name, files, kept_ms: Date.now() })).catch(() => {});
    await prune().catch(() => {});
  }
  return name;
}

/** Return files that were kept, null if they are gone. */
export async function keptPhotos(name) {
  if (here.has(name)) return here.get(name);
  const found = await inStore("readonly", (store) => store.get(name)).catch(() => null);
  return found && Date.now() - found.kept_ms < LIFE_MS ? found.files : null;
}

/** Forget all of them. */
export async function forgetPhotos() {
  here.clear();
  await inStore("readwrite", (store) => store.clear()).catch(() => {});
}

/** Forget those whose hour is over, and the oldest of too many. */
export async function prune() {
  const all = (await inStore("readonly", (store) => store.getAll())) ?? [];
  all.sort((one, other) => other.kept_ms - one.kept_ms);
  const old = all.filter((each, place) => place >= MOST || Date.now() - each.kept_ms >= LIFE_MS);
  await Promise.all(old.map((each) => inStore("readwrite", (store) => store.delete(each.name))));
}

function inStore(mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "name" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        database.close();
        resolve(asked.result);
      };
      transaction.onerror = transaction.onabort = () => {
        database.close();
        reject(transaction.error);
      };
    };
  });
}
