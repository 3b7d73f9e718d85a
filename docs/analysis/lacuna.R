# A run of Lacuna in base R: loads its tables with the types that datapackage.json states, and draws two figures of the report again.
#
#   LACUNA_RUN=results/quickstart/20161130T080000Z-0a1b2c3d Rscript docs/analysis/lacuna.R
#
# The run is the folder in LACUNA_RUN, or else the newest one in results/. The figures go to lacuna-drop-rates.pdf and
# lacuna-contrasts.pdf in the folder in which this is called; LACUNA_OUT names another.

newest_run <- function() {
  manifests <- Sys.glob("results/*/*/manifest.json")
  if (length(manifests) == 0) stop("no run in results/: set LACUNA_RUN to the folder of one")
  runs <- dirname(manifests)
  runs[order(basename(runs), decreasing = TRUE)][1]
}

run <- Sys.getenv("LACUNA_RUN", unset = "")
if (run == "") run <- newest_run()
out <- Sys.getenv("LACUNA_OUT", unset = ".")

# Everything is read as text first: an empty cell is a missing value, and nothing else is (a keyword may well be "NA").
# Base R reads no JSON, so the few types that are needed are named here; datapackage.json has them all.
load_table <- function(name, numbers = character(), times = character()) {
  table <- read.csv(file.path(run, paste0(name, ".csv")), colClasses = "character", na.strings = character(),
                    encoding = "UTF-8", check.names = FALSE)
  table[] <- lapply(table, function(column) replace(column, column == "", NA))
  for (column in numbers) table[[column]] <- as.numeric(table[[column]])
  for (column in times) {
    table[[column]] <- as.POSIXct(table[[column]], format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
  }
  table
}

shares <- load_table("figures/drop-rates", c("whole", "part", "rate", "rate_low", "rate_high"))
contrasts <- load_table("figures/contrasts", c("difference", "difference_low", "difference_high", "q_value"))
verdicts <- load_table("verdicts", c("probes", "dropped", "drop_rate", "control_loss_rate", "e_value", "q_value"),
                       c("first_sent_at", "last_sent_at"))
cat("run:", basename(run), "\n")
print(table(verdict = verdicts$verdict, arm = verdicts$arm_id))

colour <- "#0072B2"

# What does not arrive, by category and arm, with its interval.
draw_shares <- function(shares) {
  shares <- shares[!is.na(shares$rate), ]
  if (nrow(shares) == 0) {
    plot.new()
    title("nothing was concluded")
    return(invisible())
  }
  category <- ifelse(is.na(shares$category), "(none)", shares$category)
  path <- paste(shares$arm_id, ">", shares$recipient_account)
  categories <- unique(category)
  paths <- unique(path)
  columns <- min(4, length(paths))
  par(mfrow = c(ceiling(length(paths) / columns), columns), mar = c(4, 7, 2, 1), las = 1)
  for (name in paths) {
    mine <- path == name
    line <- match(category[mine], categories)
    plot(shares$rate[mine], line, xlim = c(0, 1), ylim = rev(c(0.5, length(categories) + 0.5)), pch = 16, col = colour, yaxt = "n",
         ylab = "", xlab = paste("share of", shares$measure[1]), main = name, cex.main = 0.8)
    segments(shares$rate_low[mine], line, shares$rate_high[mine], line, col = colour)
    axis(2, at = seq_along(categories), labels = categories, cex.axis = 0.7)
  }
}

# Contrasts between regions and venues, with their intervals.
draw_contrasts <- function(contrasts) {
  contrasts <- head(contrasts[!is.na(contrasts$difference), ], 60)
  if (nrow(contrasts) == 0) {
    plot.new()
    title("nothing was compared")
    return(invisible())
  }
  line <- seq_len(nrow(contrasts))
  par(mar = c(5, 18, 1, 1), las = 1)
  plot(contrasts$difference, line, xlim = c(-1, 1), ylim = rev(range(line) + c(-0.5, 0.5)), pch = 21, col = colour,
       bg = ifelse(!is.na(contrasts$q_value) & contrasts$q_value <= 0.01, colour, "white"), yaxt = "n", ylab = "",
       xlab = "difference of drop rates, with its interval")
  segments(contrasts$difference_low, line, contrasts$difference_high, line, col = colour)
  abline(v = 0)
  item <- ifelse(is.na(contrasts$item_id), "all", contrasts$item_id)
  axis(2, at = line, cex.axis = 0.6, labels = paste0(item, ": ", contrasts$level_a, " / ", contrasts$level_b))
}

pdf(file.path(out, "lacuna-drop-rates.pdf"), width = 11, height = 14)
draw_shares(shares)
invisible(dev.off())
pdf(file.path(out, "lacuna-contrasts.pdf"), width = 8, height = 2 + 0.2 * min(max(nrow(contrasts), 4), 60))
draw_contrasts(contrasts)
invisible(dev.off())
cat("wrote", file.path(out, "lacuna-drop-rates.pdf"), "and", file.path(out, "lacuna-contrasts.pdf"), "\n")
