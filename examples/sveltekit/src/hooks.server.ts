import { api } from "./server/api";

export const handle = api;
