//! `throughline serve`.

use std::process::ExitCode;

use serde_json::json;
use throughline_run::Project;
use throughline_server::{Server, ServerConfig, Settings, begin_telemetry, first_link, system_clock};

use super::{block_on, variables};
use crate::cli::ServeArgs;
use crate::failure::Failure;
use crate::output::{print, print_json};

/// Serves the studio and the API until asked to stop.
pub(super) fn serve(args: &ServeArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let path = args.project.project.join("server.yaml");
    let config = match std::fs::read_to_string(&path) {
        Ok(text) => ServerConfig::parse(&text).map_err(Failure::finding)?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => ServerConfig::default(),
        Err(source) => return Err(Failure::Io { doing: "read", path: path.display().to_string(), source }),
    };
    let telemetry = begin_telemetry(args.project.json, &args.log, config.traces.as_deref())?;
    block_on(async {
        let settings = Settings::new(config, args.host, args.port);
        let server = Server::bind(project, settings, system_clock()).await?;
        let app = server.app();
        let link = first_link(app.ledger(), &app.settings.public_url, app.now()).await?;
        if args.project.json {
            print_json(&json!({ "url": app.settings.public_url, "sign_in": link }))?;
        } else {
            print(&format!("studio: {}", app.settings.public_url))?;
            if let Some(link) = &link {
                print(&format!("sign in (once, within 24 hours): {link}"))?;
            }
            print("stop with Ctrl-C")?;
        }
        server.run(asked_to_stop()).await?;
        Ok::<_, Failure>(())
    })??;
    drop(telemetry);
    Ok(ExitCode::SUCCESS)
}

/// Ends at Ctrl-C or when the system asks the process to end.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                interrupted = tokio::signal::ctrl_c() => if interrupted.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
