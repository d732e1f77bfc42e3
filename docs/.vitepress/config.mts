// The site of these pages: `npm run docs` builds it into docs/.vitepress/dist.
import { defineConfig } from "vitepress";

const page = (text: string, name: string) => ({ text, link: `/${name}` });

export default defineConfig({
  title: "holdfast",
  description: "Storage for Node.js with a Rust core",
  lang: "en",
  cleanUrls: true,
  // The pages of the repository beside this folder are read there.
  ignoreDeadLinks: [/^\.\.?\/.*(README|CHANGELOG|CONTRIBUTING|ARCHITECTURE|LICENSE|examples|bench)/],
  srcExclude: ["node_modules/**"],
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: [
      { text: "Begin", items: [page("Installing", "install"), page("Command line", "cli"), page("Errors", "errors")] },
      {
        text: "Doors",
        items: [
          page("SmartStorage", "storage"),
          page("createStore", "store"),
          page("createStore among peers", "p2p"),
          page("createS3DataProvider", "remult"),
          page("S3Level", "level"),
        ],
      },
      {
        text: "How to",
        items: [
          page("Come from elsewhere", "coming-from"),
          page("Run tests on it", "testing"),
          page("Restore a backup", "backup-drill"),
          page("Move a store", "migrate"),
        ],
      },
      { text: "Reference", items: [page("API", "api/")] },
    ],
  },
});
