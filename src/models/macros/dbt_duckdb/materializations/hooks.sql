{# A connection of DuckDB has no transaction open that would have to end first. #}
{% macro run_hooks(hooks, inside_transaction=True) %}
    {% for hook in hooks if hook.transaction == inside_transaction %}
        {% do _run_hook(hook, inside_transaction) %}
    {% endfor %}
{% endmacro %}
