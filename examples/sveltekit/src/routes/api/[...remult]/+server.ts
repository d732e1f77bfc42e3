import { api } from "../../../server/api";

export const { GET, POST, PUT, DELETE } = api;
