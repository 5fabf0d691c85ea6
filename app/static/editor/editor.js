// The editor: ProseMirror in the place of the text field. Loaded when the first reply is begun.
import { baseKeymap, chainCommands, exitCode, toggleMark, wrapIn } from "prosemirror-commands";
import { history, redo, undo } from "prosemirror-history";
import { inputRules, wrappingInputRule } from "prosemirror-inputrules";
import { keymap } from "prosemirror-keymap";
import { DOMSerializer, DOMParser as ModelParser } from "prosemirror-model";
import { liftListItem, sinkListItem, splitListItem, wrapInList } from "prosemirror-schema-list";
import { EditorState } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { cleanPaste } from "./paste.js";
import { isAddress, schema } from "./schema.js";

const { nodes, marks } = schema;

/**
 * Put an editor before `field`, a text area, which it hides. `html`: what was written before.
 * `onChange` is called at each change, `takeFiles(files)` gets files that are pasted or dropped,
 * `picture(cid)` gives the address of a picture.
 */
export function editor(field, { html, label, onChange, takeFiles, picture, send }) {
  const place = document.createElement("div");
  place.className = "composer-text editor";
  field.before(place);
  field.hidden = true;
  const view = new EditorView(place, {
    state: EditorState.create({ doc: parse(html || asHtml(field.value)), plugins: plugins(send) }),
    attributes: { role: "textbox", "aria-multiline": "true", "aria-label": label, dir: "auto", id: "reply-editor" },
    transformPastedHTML: cleanPaste,
    handlePaste: (_, event) => takesFiles(event, event.clipboardData, takeFiles),
    handleDrop: (_, event) => takesFiles(event, event.dataTransfer, takeFiles),
    nodeViews: { image: (node) => ({ dom: shown(node, picture) }) },
    dispatchTransaction(transaction) {
      view.updateState(view.state.apply(transaction));
      if (transaction.docChanged) onChange();
      mark(view);
    },
  });
  return {
    focus: () => view.focus(),
    html: () => serialize(view.state.doc),
    isEmpty: () => !view.state.doc.textContent.trim() && !view.dom.querySelector("img"),
    run: (name, value) => run(view, name, value),
    insertPicture: (cid, alt) => view.dispatch(view.state.tr.replaceSelectionWith(nodes.image.create({ cid, alt }))),
    insertHtml: (words) => view.dispatch(view.state.tr.replaceSelection(parse(words).slice(0))),
    remove() {
      view.destroy();
      place.remove();
      field.hidden = false;
    },
  };
}

function plugins(send) {
  return [
    history(),
    inputRules({
      rules: [
        wrappingInputRule(/^\s*[-*]\s$/, nodes.bullet_list),
        wrappingInputRule(/^(\d{1,3})[.)]\s$/, nodes.ordered_list, (match) => ({ start: Number(match[1]) })),
      ],
    }),
    keymap({
      "Mod-Enter": () => send(""),
      "Mod-Shift-Enter": () => send("closed"),
      "Mod-z": undo,
      "Mod-y": redo,
      "Mod-Shift-z": redo,
      "Mod-b": toggleMark(marks.strong),
      "Mod-i": toggleMark(marks.em),
      "Mod-`": toggleMark(marks.code),
      "Mod-]": sinkListItem(nodes.list_item),
      "Mod-[": liftListItem(nodes.list_item),
      Enter: splitListItem(nodes.list_item),
      "Shift-Enter": chainCommands(exitCode, lineBreak),
    }),
    keymap(baseKeymap),
  ];
}

const COMMANDS = {
  bold: () => toggleMark(marks.strong),
  italic: () => toggleMark(marks.em),
  bullets: () => wrapInList(nodes.bullet_list),
  numbers: () => wrapInList(nodes.ordered_list),
  quote: () => wrapIn(nodes.blockquote),
  link: (href) => toggleMark(marks.link, { href }),
};

function run(view, name, value) {
  if (name === "link" && value && !isAddress(value))
    value = value.includes("@") ? `mailto:${value}` : `https://${value}`;
  COMMANDS[name](value)(view.state, view.dispatch);
  view.focus();
}

/** Which tools are pressed where the cursor is. */
function mark(view) {
  const { from, $from, to, empty } = view.state.selection;
  for (const [name, type] of Object.entries({ bold: marks.strong, italic: marks.em, link: marks.link })) {
    const button = view.dom.closest("form")?.querySelector(`[data-tool="${name}"]`);
    const isOn = empty
      ? type.isInSet(view.state.storedMarks ?? $from.marks())
      : view.state.doc.rangeHasMark(from, to, type);
    button?.setAttribute("aria-pressed", String(Boolean(isOn)));
  }
}

function lineBreak(state, dispatch) {
  dispatch?.(state.tr.replaceSelectionWith(nodes.hard_break.create()).scrollIntoView());
  return true;
}

function takesFiles(event, data, take) {
  // A spreadsheet puts a picture beside its table: the table is what is meant.
  if (!data?.files.length || data.types.includes("text/html")) return false;
  event.preventDefault();
  take([...data.files]);
  return true;
}

function shown(node, picture) {
  const image = document.createElement("img");
  image.src = picture(node.attrs.cid);
  image.alt = node.attrs.alt;
  return image;
}

function parse(html) {
  return ModelParser.fromSchema(schema).parse(new DOMParser().parseFromString(html, "text/html").body);
}

function serialize(doc) {
  const box = document.implementation.createHTMLDocument("").body;
  box.append(DOMSerializer.fromSchema(schema).serializeFragment(doc.content, { document: box.ownerDocument }));
  return box.innerHTML;
}

function asHtml(text) {
  const box = document.implementation.createHTMLDocument("").body;
  for (const words of text.split(/\n{2,}/)) {
    const paragraph = box.appendChild(box.ownerDocument.createElement("p"));
    for (const [number, line] of words.split("\n").entries()) {
      if (number) paragraph.append(box.ownerDocument.createElement("br"));
      paragraph.append(line);
    }
  }
  return box.innerHTML;
}
