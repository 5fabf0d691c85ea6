// The open page. Every page works without this script. With it, nothing is loaded twice and no typed text is lost.
import { countOn } from "./clock.js";
import { compose } from "./composer.js";
import { keepDrafts } from "./drafts.js";
import { followFiles } from "./files.js";
import { fitFrames } from "./frames.js";
import { listenToKeys } from "./keys.js";
import { goLive } from "./live.js";
import { closeMenus, filterMenus } from "./menus.js";
import { keepWhatIsTheirs } from "./morph.js";
import { openInPlace } from "./navigate.js";
import { markSeen } from "./seen.js";
import { showSnacks } from "./snacks.js";

document.documentElement.classList.add("js");
for (const start of [
  keepWhatIsTheirs,
  openInPlace,
  closeMenus,
  filterMenus,
  listenToKeys,
  fitFrames,
  markSeen,
  keepDrafts,
  compose,
  countOn,
  followFiles,
  showSnacks,
  goLive,
])
  start();
