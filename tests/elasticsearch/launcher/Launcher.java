import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Starts one Elasticsearch node: {@code Launcher HOME SETTING=VALUE...}.
 *
 * The node closes on SIGTERM. It halts when its standard input ends or its parent process does, so
 * that no node outlives the tests that started it, however they end.
 */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) throws Exception {
        haltWithParent();
        Settings.Builder settings = Settings.builder().put("path.home", arguments[0]);
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            String[] setting = argument.split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        Path configuration = Path.of(arguments[0], "config");
        Environment environment = new Environment(settings.build(), configuration);
        LogConfigurator.registerErrorListener();
        LogConfigurator.configure(environment, true);
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir(), false),
            PluginsLoader.loadPluginsBundles(environment.pluginsDir(), false),
            Map.of(),
            false
        );
        Node node = new Node(environment, plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        // All threads of a node are daemons.
        new CountDownLatch(1).await();
    }

    private static void haltWithParent() {
        Thread input = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
            } catch (java.io.IOException lost) {
                // A broken pipe tells the same as its end.
            }
            Runtime.getRuntime().halt(1);
        });
        input.setDaemon(true);
        input.start();
        // A process that the parent forked may hold the other end of the pipe open.
        ProcessHandle.current().parent().ifPresent(
            parent -> parent.onExit().thenRun(() -> Runtime.getRuntime().halt(1))
        );
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (java.io.IOException failure) {
            failure.printStackTrace();
        }
    }
}
