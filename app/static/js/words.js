// Words of our modules in the reader's language (app/web/words.py).

export function words() {
  return JSON.parse(document.querySelector(".app").dataset.words);
}
