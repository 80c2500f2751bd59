//! What `/metrics` says of the box itself: the figures that the page and the doctor put into words.
//! What a machine does not tell has no line.

use super::Text;
use crate::domain::health::{Checkup, Figures, Level, TimeKnown, Writing};
use crate::store::{BOUNDS_MS, Commits};

/// The box's figures, and what was made of them.
pub(super) fn told(text: &mut Text, figures: &Figures, commits: &Commits) {
    let name = "motoreach_build_info";
    text.begin(
        name,
        "gauge",
        "Always 1; the label says which program this is.",
    );
    text.value(
        &format!(
            "{name}{{version=\"{}\",sqlite=\"{}\"}}",
            figures.version, figures.sqlite
        ),
        1,
    );
    levels(text, &figures.judged());
    disk(text, figures);
    machine(text, figures);
    kept(text, figures);
    durations(text, commits);
}

fn levels(text: &mut Text, checkup: &Checkup) {
    let name = "motoreach_health_level";
    text.begin(
        name,
        "gauge",
        "0: well, 1: worth a look, 2: somebody should act today.",
    );
    for finding in &checkup.findings {
        let level = match finding.level {
            Level::Well => 0,
            Level::Look => 1,
            Level::Act => 2,
        };
        text.value(
            &format!("{name}{{area=\"{}\"}}", finding.area.word()),
            level,
        );
    }
}

fn disk(text: &mut Text, figures: &Figures) {
    if let Some(room) = figures.room {
        text.gauge(
            "motoreach_disk_free_bytes",
            "Free on the disk that holds the data.",
            room.free,
        );
        text.gauge("motoreach_disk_size_bytes", "Its size.", room.total);
        if let Some(full_in_ms) = room.full_in_ms {
            text.gauge(
                "motoreach_disk_full_in_seconds",
                "When it is full at the pace of the last weeks.",
                full_in_ms / 1_000,
            );
        }
    }
    if let Some(wear) = &figures.wear {
        if let Some(written) = wear.written {
            let name = "motoreach_disk_written_bytes_total";
            text.begin(name, "counter", "Written to it since the machine started.");
            text.value(name, written);
        }
        if let Some(tenths) = wear.used_tenths {
            text.gauge(
                "motoreach_disk_life_used_ratio",
                "Life of the card that is used up; 1 is what its maker promised.",
                f64::from(tenths) / 10.0,
            );
        }
    }
    if let Some(Writing::Takes { log_bytes, .. }) = figures.writing {
        text.gauge(
            "motoreach_database_log_bytes",
            "What the database's write-ahead log takes on the disk.",
            log_bytes,
        );
    }
}

fn machine(text: &mut Text, figures: &Figures) {
    if let Some(power) = figures.power {
        text.gauge(
            "motoreach_under_voltage",
            "1 while the voltage is too low.",
            u8::from(power.low_now),
        );
        text.gauge(
            "motoreach_under_voltage_since_start",
            "1 if it was too low since the machine started.",
            u8::from(power.was_low),
        );
    }
    if let Some(heat) = figures.heat {
        let (degrees, rest) = (heat.millidegrees / 1_000, heat.millidegrees.abs() % 1_000);
        text.gauge(
            "motoreach_processor_temperature_celsius",
            "How warm the processor is.",
            format_args!("{degrees}.{rest:03}"),
        );
    }
    let is_sure = matches!(figures.time, TimeKnown::Told | TimeKnown::OwnClock);
    text.gauge(
        "motoreach_clock_sure",
        "1 while the time is sure: it was told, or the machine has a clock with a battery.",
        u8::from(is_sure),
    );
}

fn kept(text: &mut Text, figures: &Figures) {
    if let Some(proof) = &figures.backups.proof {
        text.gauge(
            "motoreach_backup_proven_timestamp_seconds",
            "When the newest proven backup was proven.",
            proof.at.seconds(),
        );
        text.gauge(
            "motoreach_backup_proven_messages",
            "Messages that it gave back.",
            proof.messages,
        );
    }
    if let Some(last) = &figures.backups.last {
        text.gauge(
            "motoreach_backup_failed",
            "1 if the newest attempt at a backup brought none.",
            u8::from(last.fault.is_some()),
        );
    }
    if let Some(check) = &figures.journal {
        text.gauge(
            "motoreach_journal_checked_timestamp_seconds",
            "When the journal was last read as a whole.",
            check.at.seconds(),
        );
        text.gauge(
            "motoreach_journal_sound",
            "1 if it was what was written.",
            u8::from(check.fault.is_none()),
        );
    }
}

fn durations(text: &mut Text, commits: &Commits) {
    let name = "motoreach_commit_duration_seconds";
    text.begin(
        name,
        "histogram",
        "How long the disk took for a commit, since this program started.",
    );
    for (bound_ms, count) in BOUNDS_MS.iter().zip(commits.up_to()) {
        let bound = format!("{}.{:03}", bound_ms / 1_000, bound_ms % 1_000);
        text.value(&format!("{name}_bucket{{le=\"{bound}\"}}"), count);
    }
    text.value(&format!("{name}_bucket{{le=\"+Inf\"}}"), commits.count());
    let (seconds, rest) = (commits.total_us / 1_000_000, commits.total_us % 1_000_000);
    text.value(&format!("{name}_sum"), format_args!("{seconds}.{rest:06}"));
    text.value(&format!("{name}_count"), commits.count());
}
