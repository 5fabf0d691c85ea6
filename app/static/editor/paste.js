// A paste from Word, Gmail, Outlook or a spreadsheet keeps its words, lists, links and tables, and loses its design.

/** Styles are cut from the text, before a browser reads it: our Content-Security-Policy would report each of them. */
export function cleanPaste(html) {
  const plain = html
    .replace(/<(style|script|title|xml)\b[\s\S]*?<\/\1\s*>|<!--[\s\S]*?-->/gi, "")
    .replace(/<[^>]{1,20000}>/g, withoutStyle);
  const page = new DOMParser().parseFromString(plain, "text/html");
  for (const paragraph of page.querySelectorAll("[data-list-level]")) listOf(paragraph);
  for (const bold of page.querySelectorAll('b[id^="docs-internal-guid"]')) bold.replaceWith(...bold.childNodes);
  return page.body.innerHTML;
}

/** Only within tags: people also write `style="…"` in their prose. Of Word's styles those of lists say what they are. */
function withoutStyle(tag) {
  return tag.replace(/\sstyle\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi, (_, value) => {
    if (/mso-list:\s*ignore/i.test(value)) return " data-list-sign";
    const level = /mso-list:[^;"']*\blevel(\d)/i.exec(value);
    return level ? ` data-list-level="${level[1]}"` : "";
  });
}

/** Word writes a list as paragraphs, each with its level and its sign. */
function listOf(paragraph) {
  const sign = paragraph.querySelector("[data-list-sign]");
  const isNumbered = /^\s*[\da-z]{1,4}[.)]/i.test(sign?.textContent ?? paragraph.textContent);
  sign?.remove();
  const level = Number(paragraph.dataset.listLevel);
  const item = document.implementation.createHTMLDocument("").createElement("li");
  item.append(...paragraph.childNodes);
  const before = paragraph.previousElementSibling;
  let list = before?.matches("ul, ol") ? before : newList(isNumbered);
  if (list !== before) paragraph.before(list);
  for (let depth = 1; depth < level; depth++) {
    const last = list.lastElementChild ?? list.appendChild(list.ownerDocument.createElement("li"));
    list = last.querySelector(":scope > ul, :scope > ol") ?? last.appendChild(newList(isNumbered));
  }
  list.append(item);
  paragraph.remove();
}

function newList(isNumbered) {
  return document.implementation.createHTMLDocument("").createElement(isNumbered ? "ol" : "ul");
}
