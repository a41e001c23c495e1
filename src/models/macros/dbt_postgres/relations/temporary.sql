{# PostgreSQL cuts a name after 63 bytes without a word, and then two names may be one: here the stem is cut instead. #}
{% macro postgres__make_relation_with_suffix(base_relation, suffix, dstring) %}
    {% set ending = suffix ~ modules.datetime.datetime.now().strftime('%H%M%S%f') if dstring else suffix %}
    {% set room = base_relation.relation_max_name_length() - ending | length %}
    {% if room < 0 %}
        {% do exceptions.raise_compiler_error("The suffix '" ~ ending ~ "' alone is longer than a name may be") %}
    {% endif %}
    {% do return(base_relation.incorporate(path={'identifier': base_relation.identifier[:room] ~ ending})) %}
{% endmacro %}

{% macro postgres__make_intermediate_relation(base_relation, suffix) %}
    {% do return(postgres__make_relation_with_suffix(base_relation, suffix, dstring=False)) %}
{% endmacro %}

{# A temporary table is in a schema of the session, so it is named without one. #}
{% macro postgres__make_temp_relation(base_relation, suffix) %}
    {% set named = postgres__make_relation_with_suffix(base_relation, suffix, dstring=True) %}
    {% do return(named.incorporate(path={'schema': none, 'database': none})) %}
{% endmacro %}

{% macro postgres__make_backup_relation(base_relation, backup_relation_type, suffix) %}
    {% set named = postgres__make_relation_with_suffix(base_relation, suffix, dstring=False) %}
    {% do return(named.incorporate(type=backup_relation_type)) %}
{% endmacro %}
