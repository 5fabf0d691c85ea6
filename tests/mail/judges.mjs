// Reads mails (base64, a line each) and writes what two independent parsers make of each, a line of JSON each.
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";
import { createInterface } from "node:readline";

const people = (field) => (field ? [field].flat().flatMap((list) => list.value ?? list) : []);
const pairs = (list) => list.flatMap((one) => (one.group ? one.group : [one])).map((one) => [one.name ?? "", one.address ?? ""]);
const files = (list, id) =>
  list.map((file) => [file.filename ?? "", file.mimeType ?? file.contentType, (file[id] ?? "").replace(/[<>]/g, ""), Buffer.from(file.content).toString("base64")]);

for await (const line of createInterface({ input: process.stdin })) {
  const raw = Buffer.from(line, "base64");
  const first = await simpleParser(raw, { skipTextToHtml: true, skipHtmlToText: true, keepCidLinks: true });
  const second = await PostalMime.parse(raw);
  console.log(
    JSON.stringify([
      {
        from: pairs(people(first.from)), to: pairs(people(first.to)), cc: pairs(people(first.cc)), bcc: pairs(people(first.bcc)),
        subject: first.subject ?? "", message_id: first.messageId, in_reply_to: first.inReplyTo ?? "",
        references: [first.references ?? []].flat(), text: first.text ?? "", html: first.html || "", files: files(first.attachments, "cid"),
        headers: [...first.headers.keys()],
      },
      {
        from: pairs([second.from]), to: pairs(second.to ?? []), cc: pairs(second.cc ?? []), bcc: pairs(second.bcc ?? []),
        subject: second.subject ?? "", message_id: second.messageId, in_reply_to: second.inReplyTo ?? "",
        references: (second.references ?? "").split(/\s+/).filter(Boolean), text: second.text ?? "", html: second.html ?? "",
        files: files(second.attachments, "contentId"), headers: second.headers.map((header) => header.key),
      },
    ]),
  );
}
