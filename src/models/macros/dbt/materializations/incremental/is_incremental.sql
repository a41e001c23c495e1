{# Whether this run adds to a table that is there. Never while parsing, when there is no database to ask. #}
{% macro is_incremental() %}
    {% if not execute %}
        {% do return(False) %}
    {% endif %}
    {% set present = adapter.get_relation(this.database, this.schema, this.table) %}
    {% do return(present is not none
                 and present.type == 'table'
                 and model.config.materialized == 'incremental'
                 and not should_full_refresh()) %}
{% endmacro %}
