// The sections of the dashboard, in the order in which they are offered. Another one is a file and a line here.

import forecasts from "./forecasts.js";
import indices from "./indices.js";
import lights from "./lights.js";
import models from "./models.js";
import monitors from "./monitors.js";
import nowcasts from "./nowcasts.js";
import scorecards from "./scorecards.js";

export default [nowcasts, forecasts, indices, lights, monitors, scorecards, models];
