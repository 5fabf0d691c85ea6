// What a reply can be made of: exactly the tags that the server keeps (app/inbox/replies/rich_text.py).
import { Schema } from "prosemirror-model";

const block = (tag, more = {}) => ({ group: "block", parseDOM: [{ tag }], toDOM: () => [tag, 0], ...more });
const mark = (tag, ...also) => ({
  parseDOM: [{ tag }, ...also.map((other) => ({ tag: other }))],
  toDOM: () => [tag, 0],
});
const span = (dom, name) => Math.min(Number(dom.getAttribute(name)) || 1, 50);

const cell = (tag) => ({
  content: "block+",
  attrs: { colspan: { default: 1 }, rowspan: { default: 1 } },
  parseDOM: [{ tag, getAttrs: (dom) => ({ colspan: span(dom, "colspan"), rowspan: span(dom, "rowspan") }) }],
  toDOM: ({ attrs }) => [tag, attrs.colspan + attrs.rowspan > 2 ? attrs : {}, 0],
});

export const schema = new Schema({
  nodes: {
    doc: { content: "block+" },
    // Headings of a paste become paragraphs: a mail has none.
    paragraph: block("p", {
      content: "inline*",
      parseDOM: ["p", "h1", "h2", "h3", "h4", "h5", "h6"].map((tag) => ({ tag })),
    }),
    blockquote: block("blockquote", { content: "block+", defining: true }),
    code_block: block("pre", {
      content: "text*",
      marks: "",
      code: true,
      defining: true,
      parseDOM: [{ tag: "pre", preserveWhitespace: "full" }],
    }),
    bullet_list: block("ul", { content: "list_item+" }),
    ordered_list: block("ol", {
      content: "list_item+",
      attrs: { start: { default: 1 } },
      parseDOM: [{ tag: "ol", getAttrs: (dom) => ({ start: Number(dom.getAttribute("start")) || 1 }) }],
      toDOM: ({ attrs }) => ["ol", attrs.start === 1 ? {} : { start: attrs.start }, 0],
    }),
    list_item: { content: "paragraph block*", defining: true, parseDOM: [{ tag: "li" }], toDOM: () => ["li", 0] },
    table: block("table", { content: "table_row+", isolating: true, toDOM: () => ["table", ["tbody", 0]] }),
    table_row: { content: "(table_cell | table_header)+", parseDOM: [{ tag: "tr" }], toDOM: () => ["tr", 0] },
    table_cell: cell("td"),
    table_header: cell("th"),
    // `cid` names a file of the reply. A picture from elsewhere is dropped: it would tell its server who reads the mail.
    image: {
      group: "inline",
      inline: true,
      attrs: { cid: {}, alt: { default: "" } },
      parseDOM: [
        { tag: 'img[src^="cid:"]', getAttrs: (dom) => ({ cid: dom.getAttribute("src").slice(4), alt: dom.alt }) },
      ],
      toDOM: ({ attrs }) => ["img", { src: `cid:${attrs.cid}`, alt: attrs.alt }],
    },
    hard_break: { group: "inline", inline: true, selectable: false, parseDOM: [{ tag: "br" }], toDOM: () => ["br"] },
    text: { group: "inline" },
  },
  marks: {
    link: {
      attrs: { href: {} },
      inclusive: false,
      parseDOM: [
        {
          tag: "a[href]",
          getAttrs: (dom) => (isAddress(dom.getAttribute("href")) ? { href: dom.getAttribute("href") } : false),
        },
      ],
      toDOM: ({ attrs }) => ["a", { href: attrs.href }, 0],
    },
    strong: mark("strong", "b"),
    em: mark("em", "i"),
    code: mark("code"),
  },
});

export function isAddress(href) {
  return /^(https?:\/\/|mailto:|tel:)/i.test(href);
}
