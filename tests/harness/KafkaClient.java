// Apache Kafka's own producer and admin client, for what tests want to stand on a broker. Reads a command a line, its
// parts set apart by tabs, and answers each with a line: "ok", or "error: " and why.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

class KafkaClient {
    private final String brokers;
    private final Admin admin;
    private final Map<String, KafkaProducer<String, String>> transactions = new HashMap<>();

    KafkaClient(String brokers) {
        this.brokers = brokers;
        admin = Admin.create(Map.of("bootstrap.servers", brokers));
    }

    private KafkaProducer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> properties = new HashMap<>(more);
        properties.put("bootstrap.servers", brokers);
        return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    }

    private void send(KafkaProducer<String, String> producer, String topic, String partition, List<String> values) {
        for (String value : values) producer.send(new ProducerRecord<>(topic, Integer.valueOf(partition), null, value));
        producer.flush();
    }

    private void run(String[] words) throws Exception {
        List<String> rest = Arrays.asList(words).subList(Math.min(words.length, 4), words.length);
        switch (words[0]) {
            case "write" -> {  // CODEC TOPIC PARTITION VALUE...
                try (var producer = producer(Map.of("compression.type", words[1], "linger.ms", 100))) {
                    send(producer, words[2], words[3], rest);
                }
            }
            case "transact" -> {  // ID TOPIC PARTITION VALUE...
                var producer = transactions.get(words[1]);
                if (producer == null) {
                    producer = producer(Map.of("transactional.id", words[1]));
                    producer.initTransactions();
                    producer.beginTransaction();
                    transactions.put(words[1], producer);
                }
                send(producer, words[2], words[3], rest);
            }
            case "commit", "abort" -> {  // ID
                try (var producer = transactions.remove(words[1])) {
                    if (words[0].equals("commit")) producer.commitTransaction();
                    else producer.abortTransaction();
                }
            }
            case "trim" -> {  // TOPIC PARTITION OFFSET
                var before = RecordsToDelete.beforeOffset(Long.parseLong(words[3]));
                var partition = new TopicPartition(words[1], Integer.parseInt(words[2]));
                admin.deleteRecords(Map.of(partition, before)).all().get();
            }
            case "delete" -> admin.deleteTopics(List.of(words[1])).all().get();  // TOPIC
            default -> throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }

    public static void main(String[] arguments) throws Exception {
        var client = new KafkaClient(arguments[0]);
        var commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            try {
                client.run(line.split("\t"));
                System.out.println("ok");
            } catch (Exception error) {
                System.out.println("error: " + error);
            }
        }
        System.exit(0);
    }
}
