// A client of the platform as its users write them in Java: the JDK's own HttpClient, which offers HTTP/2 with its
// first call; XML both ways; the token in each body; `error` looked at.
// It knows nothing of a gateway. Arguments: the base URL and the token; prints what it saw as JSON.

import java.io.StringReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

public class Client {
    static final HttpClient http = HttpClient.newHttpClient();
    static final String EMAIL = "jim@example.com";
    static String baseUrl;
    static String token;

    static Element call(String method, String params) throws Exception {
        String body = "<xml><token>" + token + "</token><format>xml</format>" + params + "</xml>";
        var request = HttpRequest.newBuilder(URI.create(baseUrl + "/" + method))
            .header("Content-Type", "application/xml")
            .POST(BodyPublishers.ofString(body))
            .build();
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(method + ": HTTP " + response.statusCode());
        }
        var builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
        Element reply = builder.parse(new InputSource(new StringReader(response.body()))).getDocumentElement();
        if (!text(reply, "error").equals("0")) {
            throw new IllegalStateException(method + ": " + text(reply, "error") + " " + text(reply, "error_text"));
        }
        return reply;
    }

    static String text(Element element, String name) {
        return all(element, name).get(0);
    }

    static List<String> all(Element element, String name) {
        NodeList found = element.getElementsByTagName(name);
        var texts = new ArrayList<String>();
        for (int i = 0; i < found.getLength(); i++) {
            texts.add(found.item(i).getTextContent());
        }
        return texts;
    }

    static Element resultOf(String taskId) throws Exception {
        for (int look = 0; look < 500; look++) {
            Element task = call("tasks/status", "<task_id>" + taskId + "</task_id>");
            if (text(task, "status").equals("done")) {
                return task;
            }
            Thread.sleep(20);
        }
        throw new IllegalStateException("task " + taskId + " does not end");
    }

    // A finished export. The host of its URL is the platform's: ours takes its place.
    static String download(String address) throws Exception {
        var uri = URI.create(baseUrl).resolve(URI.create(address).getRawPath());
        var request = HttpRequest.newBuilder(uri).header("Authorization", "Bearer " + token).build();
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException("download: HTTP " + response.statusCode());
        }
        return response.body();
    }

    public static void main(String[] arguments) throws Exception {
        baseUrl = arguments[0];
        token = arguments[1];
        String person = "<matching>email</matching><email>" + EMAIL + "</email>";
        Element imported = call("profiles/import",
            "<db_id>1</db_id>" + person
            + "<data><_fname>Jim</_fname><phones array='true'>+79000000000</phones></data>");
        String profileId = text(imported, "profile_id");
        Element profile = call("profiles/get", "<db_id>1</db_id>" + person);
        String place = "<db_id>1</db_id><profile_id>" + profileId + "</profile_id>";
        call("subscriptions/set", place + "<resource_id>2</resource_id><channel>email</channel>"
            + "<email>" + EMAIL + "</email><status>subscribed</status>");
        Element subscriptions = call("subscriptions/list", place);
        call("campaigns/triggers/start", "<id>1</id>" + person);
        Element task = call("profiles/get_all",
            "<source_type>database</source_type><source_id>1</source_id><file_format>csv</file_format>");
        String table = download(text(resultOf(text(task, "task_id")), "urls"));
        System.out.printf(
            "{\"profile_id\": \"%s\", \"name\": \"%s\", \"phone\": \"%s\", \"subscribed\": %s, \"exported\": %d}%n",
            profileId, text(profile, "_fname"), text(profile, "phones"), all(subscriptions, "resource_id"),
            table.lines().filter(line -> line.contains(EMAIL)).count());
    }
}
